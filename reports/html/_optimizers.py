"""Optimisers side by side: sentences first, then the best of each weighting, and counts."""

import math
from dataclasses import replace

from reports._ranking import number
from reports.comparing.differences import Difference
from reports.comparing.optimizers import OptimizerPair, Optimizers, Row
from reports.comparing.optimizers_said import count, optimizers_said, tau_said, trial_said
from reports.comparing.wording import gaps_of, span
from reports.figures import method_colour
from reports.html._tags import Markup, boxed, method_head, tag
from reports.html._words import value_of

_BEST = (
    "Each weighting by its best trial under each optimiser, on test: chosen on validation, each "
    "seed scored with the trial that the other seeds choose."
)
_BEST_OF_ONE_SEED = (
    "Each weighting by its best trial under each optimiser, on test: chosen on validation by the "
    "seed that scores it, which flatters it."
)
_DIFFERENCES = "The best of each weighting with one optimiser minus that with the other, on test"
_COUNTS = (
    "Trials by their mean test metrics, all turned so that lower is better, of the weightings that "
    "were tried with both, at equal numbers of each. A trial dominates another one if it is better "
    "in one metric and worse in none. The interval of tau goes by the pairs of weightings whose "
    "order seeds tell with both optimisers; the others may be either way."
)


def optimizers_section(found: Optimizers | None) -> Markup | None:
    """A section; None with one optimiser."""
    if found is None:
        return None
    return tag(
        "section",
        tag("h2", "Optimisers", id="optimisers"),
        *(tag("p", sentence) for sentence in optimizers_said(found)),
        _best(found),
        *((_counts(found), _differences(found)) if found.pairs else ()),
    )


def _heads(*names: str) -> Markup:
    return tag("tr", *(tag("th", name, scope="col") for name in names))


def _best(found: Optimizers) -> Markup:
    value = found.objective.title
    heads = _heads("Method", "Optimiser", "Trials", value, "95 % interval", "Best trial")
    scored = [row.best.scores.by_seed for row in found.rows if row.best]
    caption = _BEST if any(len(by_seed) > 1 for by_seed in scored) else _BEST_OF_ONE_SEED
    return boxed(caption, heads, [_best_row(found, row) for row in found.rows])


def _best_row(found: Optimizers, row: Row) -> Markup:
    best, objective = row.best, found.objective
    value, within, params = "–", "–", "–"
    if best is not None:
        known = best.scores.value
        value = "diverged" if math.isinf(known) else number(objective, known)
        within = "–" if best.interval is None else span(objective, best.interval)
        point = ", ".join(f"{name} {value_of(one)}" for name, one in best.params.items())
        params = trial_said(objective, best, point)
    cells = (row.optimizer, f"{row.n_trials:,}", value, within, params)
    head = method_head(row.title, method_colour(row.weighting))
    return tag("tr", head, *(tag("td", cell) for cell in cells))


def _counts(found: Optimizers) -> Markup:
    heads = _heads(
        "Optimisers",
        "Trials of each",
        "On the joint front",
        "Not dominated by the other",
        "Kendall’s tau of rankings",
    )
    return boxed(_COUNTS, heads, [_pair_row(pair) for pair in found.pairs])


def _pair_row(pair: OptimizerPair) -> Markup:
    counts = (pair.counts.on_front, pair.counts.undominated)
    cells = (
        f"{pair.counts.n_drawn:,}",
        *(" and ".join(map(count, of)) for of in counts),
        tau_said(pair.ranking) if pair.ranking else "–",
    )
    head = tag("th", f"{pair.a} and {pair.b}", scope="row")
    return tag("tr", head, *(tag("td", cell) for cell in cells))


def _differences(found: Optimizers) -> Markup:
    """Weightings down, pairs of optimisers across."""
    titles = dict.fromkeys((row.weighting, row.title) for row in found.rows)
    heads = _heads("Method", *(f"{pair.a} minus {pair.b}" for pair in found.pairs))
    rows = [
        tag(
            "tr",
            method_head(title, method_colour(weighting)),
            *(tag("td", _gap(found, pair.differences.get(weighting))) for pair in found.pairs),
        )
        for weighting, title in titles
    ]
    side = "Below" if found.objective.sign > 0 else "Above"
    unit = f", in {unit}" if (unit := gaps_of(found.objective).unit) else ""
    known = any(gap.interval for pair in found.pairs for gap in pair.differences.values())
    after = "; intervals after Holm" if known else ""
    said = f"{_DIFFERENCES}{unit}. {side} zero the first is better{after}."
    return boxed(said, heads, rows)


def _gap(found: Optimizers, gap: Difference | None) -> str:
    if gap is None:
        return "–"
    gaps = replace(gaps_of(found.objective), unit="")
    reach = f" ({span(gaps, gap.interval)})" if gap.interval else ""
    return f"{number(gaps, gap.value)}{reach}, {gap.verdict}"
