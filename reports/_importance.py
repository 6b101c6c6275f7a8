"""Which parameters of a search matter, as values: they are read without pandas, too."""

from dataclasses import dataclass
from typing import Any

from reports._naming import called
from reports.inference import Interval
from storage.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one parameter explains.

    Attributes:
        value: Mean over seeds, from 0 to 1.
        interval: 95 % over seeds, within 0 and 1; None with one seed.
    """

    param: str
    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """One answer for one search.

    Attributes:
        title: How reports call the search.
        method: ``sums of squares``, or the name of an estimator.
        answers: The question that it answers.
        shares: Largest first; they sum to 1.
        n_trials: Trials that it goes by.
        n_left_out: Trials that have diverged or were pruned.
    """

    search: str
    title: str
    method: str
    answers: str
    shares: tuple[Share, ...]
    n_trials: int
    n_left_out: int

    @property
    def sentence(self) -> str:
        """The shares with their intervals, after the question."""
        said = ", ".join(f"{called(one.param)} {_percent(one)}" for one in self.shares)
        lost = f", {self.n_left_out} that did not end well left out" if self.n_left_out else ""
        return (
            f"{self.title}, {self.method} ({self.answers}): {said} "
            f"({counted(self.n_trials, 'trial')}{lost}; 95 % intervals over seeds in brackets)."
        )

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "search": self.search,
            "method": self.method,
            "answers": self.answers,
            "n_trials": self.n_trials,
            "n_left_out": self.n_left_out,
            "shares": [
                {
                    "param": one.param,
                    "share": one.value,
                    "low": one.interval and one.interval.low,
                    "high": one.interval and one.interval.high,
                }
                for one in self.shares
            ],
        }


def _percent(share: Share) -> str:
    known = share.interval
    ends = "no interval" if known is None else f"{100 * known.low:.0f} to {100 * known.high:.0f}"
    return f"{100 * share.value:.0f} % ({ends})"
