"""What a study takes yet, read off its database: how it stands, and what was timed of its shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from storage.records import SearchHistory, SearchStatus, StudyRecord, Totals
from storage.scoring import Selection
from study.catalogue import reading
from study.deciding.advance import Rules
from study.deciding.forecast import Forecast, forecast, search_forecast
from study.deciding.outlook import Outlook, outlook
from study.deciding.pace import Timed, mixed, paces
from study.deciding.settling import settled
from study.errors import NotAnExtension
from study.planning.extension import check_extension
from study.planning.followups import of_parent
from study.running.timed_optimizers import Tuned, runs_left
from study.running.timed_shapes import own_optimizer, timed_shapes

if TYPE_CHECKING:
    from storage import Reader
    from study.planning.packs import PackPlan
    from study.planning.plan import Plan

_NOTHING = SearchHistory(entries=(), outcomes=(), decisions=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    """How a study stands; as new if it is not stored.

    Attributes:
        record: None if it is not stored.
        baseline_hash: Of the baseline in force; None if there is none yet.
        parents: Trial that a follow-up goes on from, once it is known.
    """

    record: StudyRecord | None
    totals: Totals
    baseline_hash: str | None
    statuses: Mapping[str, SearchStatus]
    histories: Mapping[str, SearchHistory]
    parents: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a database tells of how long a study takes: the same for all versions of its spec.

    Attributes:
        timed: By search and optimiser.
        left: How many runs of each are to be trained yet, or in what proportion.
        beside: Device-seconds that are no run's for each one of a run.
    """

    stand: _Stand
    timed: Mapping[Tuned, Timed]
    left: Mapping[Tuned, int]
    beside: float

    @property
    def begun(self) -> bool:
        """Whether the study is stored."""
        return self.stand.record is not None

    def allows(self, plan: Plan) -> bool:
        """Whether a version extends what is stored of the study, so that it may go on as that."""
        if self.stand.record is None:
            return True
        try:
            check_extension(self.stand.record, plan.spec, plan.stored_card)
        except NotAnExtension:
            return False
        return True

    def forecast(self, plan: Plan, *, device: str | None) -> Forecast:
        """What a study takes yet.

        Args:
            plan: Of the study, or of a smaller or larger version with the same searches.
            device: Whose price counts if nothing has been paid yet.
        """
        found = paces(self.timed)
        pace = {
            search: mixed([(found[key], self.left[key]) for key in found if key[0] == search])
            for search, _ in found
        }
        searches = {search.name: search for search in plan.searches}
        totals = self.stand.totals
        return forecast(
            [
                search_forecast(
                    status,
                    ahead,
                    pace[status.search],
                    epochs=searches[status.search].epochs_of(plan.training),
                    budget=searches[status.search].budget,
                )
                for status, ahead in _ahead(plan, self.stand)
            ],
            paid_s=totals.device_s,
            beside=self.beside,
            budget=plan.spec.budget,
            epochs_paid=totals.epochs,
            price_per_h=_price_per_h(plan, totals, device),
        )


def known_of(
    plan: Plan, packs: PackPlan, *, storage: str, device: str | None, like: str | None = None
) -> Known:
    """Read what a forecast rests on: own packs, studies of the same shape, calibrations.

    Args:
        device: Only packs of this kind of device count; None: all.
        like: Study of the database whose packs count beside its own; None: all of its shape.

    Raises:
        BadSpec: `like` is of another problem.
        UnknownStudy: There is no such study.
    """
    with reading(storage) as reader:
        timed, beside = timed_shapes(plan, packs, reader, device=device, like=like)
        stand = _stand(plan, reader)
        return Known(stand=stand, timed=timed, left=_left(reader, stand, timed), beside=beside)


def _left(reader: Reader | None, stand: _Stand, timed: Mapping[Tuned, Timed]) -> dict[Tuned, int]:
    """Runs that are left by search and optimiser; where none is proposed, as many of each."""
    names = Counter(search for search, _ in timed)
    several = {search for search, n in names.items() if n > 1}
    if reader is None or stand.record is None or not several:
        return dict.fromkeys(timed, 1)
    found = runs_left(reader, stand.record.name, several, own_optimizer(stand.record))
    begun = {search for search, _ in found}
    return {key: found.get(key, 0) if key[0] in begun else 1 for key in timed}


def _stand(plan: Plan, reader: Reader | None) -> _Stand:
    records = () if reader is None else reader.studies()
    record = next((record for record in records if record.name == plan.spec.name), None)
    if reader is None or record is None:
        nothing = Totals(states={}, device_s=0.0, money=None, epochs=0, trials=0)
        return _Stand(
            record=None,
            totals=nothing,
            baseline_hash=None,
            statuses={},
            histories={},
        )
    columns, rows = reader.view("baseline_metrics", record.name)
    beside = {search.name: search.beside for search in plan.searches}
    last = Selection.of(plan.spec.compare.select_epoch).k
    at, standing = columns.index("baseline_hash"), columns.index("standing")
    return _Stand(
        record=record,
        totals=reader.totals(record.id),
        baseline_hash=next((row[at] for row in rows if row[standing]), None),
        statuses={status.search: status for status in reader.search_status(record.id)},
        parents={of.name: of.initial.trial for of in reader.searches(record.id) if of.initial},
        histories={
            of.name: reader.history(of.id, beside=beside.get(of.name, ()), last=last)
            for of in reader.searches(record.id)
        },
    )


def _ahead(plan: Plan, stand: _Stand) -> Iterator[tuple[SearchStatus, Outlook]]:
    """How each search would stand if a driver looked at it, and what it has yet to propose."""
    spec = plan.spec
    confirm = (spec.confirm.top, spec.confirm.seeds) if spec.confirm else (0, 0)
    most = spec.budget.trials
    rules = Rules(
        seeds=spec.seeds,
        baseline_hash=stand.baseline_hash,
        trials_left=None if most is None else max(0, most - stand.totals.trials),
        confirm_seeds=plan.confirm_seeds,
        confirm_top=confirm[0],
        address=f"{stand.record.first_name if stand.record else spec.name}/{spec.seeds[0]}",
    )
    left = rules.trials_left
    for planned in plan.searches:
        search = of_parent(planned, stand.parents.get(planned.name))
        history = stand.histories.get(search.name, _NOTHING)
        mine, epochs = (left if search.counts_as_tuning else None), search.epochs_of(plan.training)
        state = settled(search, history, replace(rules, trials_left=mine), epochs=epochs)
        ahead = outlook(
            search,
            state.history,
            state.step,
            n_seeds=len(spec.seeds),
            epochs=epochs,
            confirm=confirm,
        )
        if mine is not None:
            ahead = ahead.within(mine - state.trials, n_seeds=len(spec.seeds))
            left = max(0, mine - state.trials - round(ahead.runs / len(spec.seeds)))
        status = stand.statuses.get(search.name) or _not_begun(search.name)
        yield replace(status, unfinished=state.unfinished(status.unfinished)), ahead


def _not_begun(name: str) -> SearchStatus:
    return SearchStatus(
        search=name,
        states={},
        epochs_done=0,
        unfinished=(),
        epochs_paid=0,
        device_s=0.0,
        money=None,
    )


def _price_per_h(plan: Plan, totals: Totals, device: str | None) -> float | None:
    """Of a device-hour: what has been paid so far, else what the spec says of every device."""
    if totals.money is not None and totals.device_s > 0:
        return totals.money / totals.device_s * 3600
    prices = plan.spec.cost.price_per_h
    return prices.get(device or "") if isinstance(prices, dict) else prices
