"""What a training function is given to say how it goes, and how it is told to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, NoReturn, get_args

from trainers.errors import BadExhibit, BadReport
from trainers.exhibits import Exhibit, PackedExhibit, Split, pack
from trainers.suggestions import shown

Why = Literal["paused", "released", "diverged", "done"]
Phase = Literal["validation", "test", "diagnostics"]
"""What a run's seconds go to, beside training."""
_TEST = "test_"
MOST_SHOWN = 24


class RunStopped(BaseException):
    """The run ends here: raised by `report`, to be let through.

    No `Exception`, so that a function's own ``except Exception`` does not hold it up.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One report.

    Attributes:
        values: ``(split, metric, value)``; the split is ``test`` for names that began so.
        seconds: Since the report before, or since the function was called.
        beside_s: Of these, those of phases that are no training.
        round: Which time training has begun anew, from 1.
        samples: That went forward and backward since the report before.
        grad_evals: Gradients of a loss on a batch that were worked out since then.
        flops: Floating-point operations since then, as far as they are known.
        exhibits: What was shown since the report before.
    """

    step: int
    values: tuple[tuple[str, str, float], ...]
    seconds: float
    beside_s: Mapping[str, float] = field(default_factory=dict)
    round: int = 1
    samples: int = 0
    grad_evals: int = 0
    flops: float = 0.0
    exhibits: tuple[PackedExhibit, ...] = ()

    def phases(self) -> dict[str, float]:
        """Seconds of each phase, as the events of engines name them."""
        rest = max(0.0, self.seconds - sum(self.beside_s.values()))
        return {"train_s": rest, **{f"{name}_s": s for name, s in self.beside_s.items()}}


class Report:
    """Called as ``report(step, metrics)``.

    Args:
        tell: Gets each report.
        skipped: Reports between the last known one and a step, of an attempt that has died.
        repeated: Whether an attempt's first report is the last one of the attempt before, made once
            more: it is not told again.
        until: The step at which the run is to pause; at the last step of all it may finish.
        last: The last step of all.
        stop_requested: Whether the run is to be released.
        others: What trials are ranked by beside the metric, of several objectives.
        allowed: All names that may be reported; None: any.
        at_rung: Called at `until`: waits, and returns up to where the run goes on at once; None if
            it does not.

    Attributes:
        metric: What trials are ranked by.
        metrics: All that they are ranked by, of several objectives; the metric is the first.
        step: Of the last report; 0 before the first.
        round: Of the last report; 1 before the first.
        value: Of the last report, of `metric`.
        why: Why the run was stopped; empty if it was not.
    """

    def __init__(
        self,
        metric: str,
        tell: Callable[[Reported], None],
        *,
        skipped: Callable[[int], Iterable[Reported]] = lambda _step: (),
        repeated: Callable[[Reported], bool] = lambda _said: False,
        until: int,
        last: int,
        stop_requested: Callable[[], bool],
        at_rung: Callable[[], int | None] = lambda: None,
        others: tuple[str, ...] = (),
        allowed: frozenset[str] | None = None,
    ) -> None:
        self.metric, self._tell = metric, tell
        self._skipped, self._repeated = skipped, repeated
        self.metrics = (metric, *others)
        self._at_rung = at_rung
        self._until, self._last, self._stop_requested = until, last, stop_requested
        self._allowed = allowed
        self._since_s, self._beside_s = perf_counter(), dict[str, float]()
        self.step, self.round, self.value = 0, 1, math.nan
        self.why: Why | Literal[""] = ""
        self._shown: dict[str, PackedExhibit] = {}

    def __call__(
        self,
        step: int,
        metrics: Mapping[str, float],
        *,
        round: int = 1,
        samples: int = 0,
        grad_evals: int = 0,
        flops: float = 0.0,
    ) -> None:
        """Say what has come of a step; save a checkpoint *before*, as this may be the end.

        Args:
            step: Counted from 1, rising; after a resume it goes on where the checkpoint was. The
                report of the checkpoint itself may be made again, as a kill may have come between.
            metrics: Name to number, `metric` among them; ``test_`` before a name is for the test
                split.
            round: Which time training has begun anew, from 1; steps are counted over all of them.
            samples: That went forward and backward since the report before.
            grad_evals: Gradients of a loss on a batch that were worked out since then.
            flops: Floating-point operations since then; 0: not known.

        Raises:
            RunStopped: The run is to end; let it through.
            BadReport: Step, round or metrics break a rule.
        """
        if self.why or step > self._last:
            self._stop(self.why or "done")
        counts = {"samples": samples, "grad_evals": grad_evals, "flops": flops}
        self.tell(step, metrics, round=round, **_counted(counts))
        if step < self._last:
            if step >= self._until:
                self._wait_at_rung()
            if self._stop_requested():
                self._stop("released")

    def show(self, exhibit: Exhibit, *, split: Split = "validation") -> None:
        """Show a histogram, curve, pictures or a table: it goes out with the next report.

        One of the same name and round replaces the earlier one; histograms are kept of each epoch.

        Args:
            split: What it is made of; of ``test`` it stays hidden as long as a study is sealed.

        Raises:
            BadExhibit: It is of no kind that is shown, too large, or one too many.
        """
        packed = pack(exhibit, split)
        self._shown[packed.name] = packed
        if len(self._shown) > MOST_SHOWN:
            raise BadExhibit(
                f"With one report at most {MOST_SHOWN} exhibits go out. Got {packed.name!r} beside "
                f"as many. Show what matters, or report more often."
            )

    @property
    def unsent(self) -> tuple[str, ...]:
        """Names of what was shown since the last report."""
        return tuple(self._shown)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """The seconds of the block are those of a phase of its own; all others are training's.

        Raises:
            BadReport: There is no such phase.
        """
        if name not in get_args(Phase):
            raise BadReport(
                f"The phases beside training are {', '.join(get_args(Phase))}. Got {shown(name)}. "
                "Name one of them; what is outside of all is training."
            )
        since_s = perf_counter()
        try:
            yield
        finally:
            spent_s = perf_counter() - since_s
            self._beside_s[name] = self._beside_s.get(name, 0.0) + spent_s

    def tell(
        self, step: int, metrics: Mapping[str, float], *, round: int = 1, **counts: Any
    ) -> None:
        """Report without being stopped, unless a metric it is ranked by is not finite.

        Args:
            counts: What was counted since the last report, fields of `Reported`.

        Raises:
            RunStopped: Such a metric is not finite: the run has diverged.
            BadReport: Step, round or metrics break a rule.
        """
        known = _checked(metrics, self.metrics, self._allowed)
        if isinstance(step, bool) or not isinstance(step, int) or step <= self.step:
            raise BadReport(
                f"Steps are whole numbers that rise from 1. Got {shown(step)} after {self.step}. "
                "Count reports, as in `for step in range(1, n + 1)`."
            )
        if isinstance(round, bool) or not isinstance(round, int) or round < self.round:
            raise BadReport(
                f"Rounds are whole numbers from 1 that never fall. Got {shown(round)} after "
                f"{self.round}. Count how often training has begun anew."
            )
        self.round = round
        if not all(math.isfinite(known[name]) for name in self.metrics):
            self._stop("diverged")
        is_first = self.step == 0
        for earlier in self._skipped(step) if is_first else ():
            self._tell(earlier)
        now_s = perf_counter()
        self.step, self.value = step, known[self.metric]
        said = Reported(
            step=step,
            values=tuple(
                _placed(name, value) for name, value in known.items() if math.isfinite(value)
            ),
            seconds=now_s - self._since_s,
            beside_s=self._beside_s,
            round=round,
            exhibits=tuple(self._shown.values()),
            **counts,
        )
        self._shown = {}
        if is_first and self._repeated(said):
            return  # what it took to come here goes with the next report
        self._since_s, self._beside_s = now_s, {}
        self._tell(said)

    def stand_at(self, said: Reported) -> None:
        """Count a report of an attempt before as this one's last: none followed it."""
        self.step, self.round = said.step, said.round

    def named(self, returned: Any) -> dict[str, Any]:
        """What a function returned without names: one number, or one for each metric.

        Raises:
            BadReport: There are more or fewer than there are metrics.
        """
        several = len(self.metrics) > 1
        values = returned if several and isinstance(returned, tuple | list) else [returned]
        if len(values) != len(self.metrics):
            raise BadReport(
                f"A function returns a number for each of {', '.join(map(repr, self.metrics))}, in "
                f"this order. Got {shown(returned)}. Return as many, or a table."
            )
        return dict(zip(self.metrics, values, strict=True))

    def phases_since(self) -> dict[str, float]:
        """Seconds of each phase since the last report."""
        seconds = perf_counter() - self._since_s
        return Reported(step=0, values=(), seconds=seconds, beside_s=self._beside_s).phases()

    def _wait_at_rung(self) -> None:
        until = self._at_rung()
        if until is None:
            self._stop("paused")
        self._until, self._since_s = until, perf_counter()  # waiting is no training

    def _stop(self, why: Why) -> NoReturn:
        self.why = why
        raise RunStopped(f"This run ends here ({why}).")


def _checked(
    metrics: Mapping[str, float], wanted: tuple[str, ...], allowed: frozenset[str] | None
) -> dict[str, float]:
    if not isinstance(metrics, Mapping) or any(name not in metrics for name in wanted):
        named = ", ".join(map(repr, wanted))
        way_out = (
            "correct `metric` in [function]" if allowed is None else "take another `objective`"
        )
        raise BadReport(
            f"Every report holds the metric{'s' * (len(wanted) > 1)} {named}, which trials are "
            f"ranked by. Got {shown(metrics)}. Report a table with it, or {way_out}."
        )
    known = {str(name): _number(str(name), value) for name, value in metrics.items()}
    _refuse_unknown(known, allowed)
    return known


def _refuse_unknown(known: Mapping[str, float], allowed: frozenset[str] | None) -> None:
    strange = [] if allowed is None else sorted({*known} - allowed)
    if strange:
        raise BadReport(
            f"A trainer reports the metrics of its card: {', '.join(sorted(allowed or ()))}. Got "
            f"{', '.join(map(repr, strange))}. Enter it there, or leave it out."
        )


def _counted(counts: Mapping[str, float]) -> Mapping[str, float]:
    for name, value in counts.items():
        whole = name == "flops" or isinstance(value, int)
        if isinstance(value, bool) or not whole or not 0 <= value < math.inf:
            kind = "a number" if name == "flops" else "a whole number"
            raise BadReport(
                f"`{name}` of a report must be {kind} from 0 on. Got {shown(value)}. Count what "
                "was done since the last report."
            )
    return counts


def _number(name: str, value: Any) -> float:
    """A number, or a scalar of numpy or torch, as a float."""
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        pass  # said below, of strings as well
    raise BadReport(
        f"A reported metric is one number. Got {shown(value)} for {name!r}. "
        "Leave it out, or report a number."
    )


def _placed(name: str, value: float) -> tuple[str, str, float]:
    if name.startswith(_TEST):
        return "test", name.removeprefix(_TEST), value
    return "validation", name, value
