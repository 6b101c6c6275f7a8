"""Whether studies can be compared at all, and what differs between those that can."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from reports._ranking import objective_of
from reports.across.methods import Method, Studies, problem_of
from reports.comparing.differences import margin_of
from reports.errors import NotComparable
from reports.frames import StudyFrames, part_names
from storage.wording import counted, listed

# Keys of [training] that change what is learned; the others say where and how fast.
_LEARNING: Final = (
    *("epochs", "batch_size", "optimizer", "lr", "weight_decay", "momentum", "schedule"),
    *("clip_norm", "drop_last", "precision"),
)
# Keys of a [[search]] that say what is tuned, and how.
_TUNING: Final = ("stages", "hyper", "joint", "init_from")
_MOST_OF_A_VALUE: Final = 40


def check_studies(studies: Studies) -> None:
    """Refuse studies whose numbers have nothing to do with each other.

    Raises:
        NotComparable: Fewer than two are given, one is given twice, one has a training function, or
            they are ranked by different objectives.
    """
    if len(studies) < 2:
        raise NotComparable(f"A comparison needs two studies or more. Got {len(studies)}.")
    check_distinct(studies)
    if functions := [label for label, frames in studies.items() if frames.of_function]:
        raise NotComparable(
            f"Several studies are compared by their loss weightings. {', '.join(functions)} trains "
            "a function, which has none. Leave it out, and look at it by itself with "
            "`weighbridge compare`."
        )
    found = {label: _ranked_by(frames) for label, frames in studies.items()}
    if len(set(found.values())) > 1:
        said = ", ".join(f"{label} by {rank}" for label, rank in found.items())
        raise NotComparable(
            "Studies are compared by one objective, and their winners were chosen by it. Ranked "
            f"are {said}. Compare studies of one `objective`."
        )


def check_distinct(studies: Studies) -> None:
    """Refuse a study that is given twice, by another name or from a copy of its database.

    Raises:
        NotComparable: Two are one and the same.
    """
    for (one, first), (other, second) in combinations(studies.items(), 2):
        if first is second or (first.birth and first.birth == second.birth):
            raise NotComparable(
                f"{one} and {other} are one and the same study. Name each study once; a copy of a "
                "database holds no new results."
            )


def check_methods(methods: Sequence[Method]) -> None:
    """Refuse studies that share no method.

    Raises:
        NotComparable: No method is in two of them.
    """
    if not any(len(method.results) > 1 for method in methods):
        said = ", ".join(f"{method.title} in {', '.join(method.results)}" for method in methods)
        raise NotComparable(
            "Studies are compared by the methods that they share. No method is in two of them: "
            f"{said or 'none has any'}. Compare studies that search the same weightings."
        )


def differing(studies: Studies, methods: Sequence[Method]) -> tuple[str, ...]:
    """What sets studies apart besides their problems, a sentence each."""
    return (*_of_settings(studies), *_of_problems(studies), *_of_methods(studies, methods))


def smallest_margin(studies: Studies) -> float | None:
    """The strictest of the margins that specs name; None where values are no delta_m."""
    found = [margin_of(frames) for frames in studies.values()]
    return min((margin for margin in found if margin is not None), default=None)


def _ranked_by(frames: StudyFrames) -> str:
    objective = objective_of(frames)
    side = "lower" if objective.direction == "min" else "higher"
    unit = f" in {objective.unit}" if objective.unit else ""
    return f"{objective.title}{unit} ({side} is better)"


def _of_settings(studies: Studies) -> Iterator[str]:
    settings = {label: _settings(frames) for label, frames in studies.items()}
    for what in dict.fromkeys(key for found in settings.values() for key in found):
        yield from _told(what, {label: found.get(what) for label, found in settings.items()})


def _settings(frames: StudyFrames) -> dict[str, Any]:
    """What a study was asked to do, under the words that say so."""
    compare, training = frames.spec["compare"], frames.spec.get("training", {})
    imported = (frames.spec.get("baseline") or {}).get("metrics")
    return {
        "the selected epoch ([compare] select_epoch)": compare.get("select_epoch"),
        "the margin ([compare] margin)": compare.get("margin"),
        "the number of seeds": len(frames.seeds),
        "the baseline": "imported numbers" if imported else "trained",
        "fresh seeds that confirm winners": (frames.spec.get("confirm") or {}).get("seeds", 0),
        **{f"[training] {key}": training.get(key) for key in _LEARNING},
    }


def _told(what: str, values: Mapping[str, Any]) -> Iterator[str]:
    """That something differs, and which studies have which value."""
    groups: dict[str, list[str]] = {}
    for label, value in values.items():
        groups.setdefault(_shown(value), []).append(label)
    if len(groups) > 1:
        said = "; ".join(f"{value} in {', '.join(labels)}" for value, labels in groups.items())
        yield f"Different is {what}: {said}."


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    said = "none" if value is None else str(text)
    return said if len(said) <= _MOST_OF_A_VALUE else f"{said[: _MOST_OF_A_VALUE - 3]}..."


def _of_problems(studies: Studies) -> Iterator[str]:
    """Cards that bear one name and say different things."""
    cards: dict[str, dict[str, list[str]]] = {}
    for label, frames in studies.items():
        facts = {key: frames.card.get(key) for key in ("tasks", "sizes", "data_version")}
        known = cards.setdefault(problem_of(frames), {})
        known.setdefault(json.dumps(facts, sort_keys=True), []).append(label)
    for problem, known in cards.items():
        if len(known) > 1:
            alike = [", ".join(labels) for labels in known.values()]
            single = all(len(labels) == 1 for labels in known.values())
            apart = listed(alike) if single else " and ".join(alike)
            yield f"Tasks, metrics or data of the problem {problem} are not the same in {apart}."


def _of_methods(studies: Studies, methods: Sequence[Method]) -> Iterator[str]:
    absent: dict[str, list[str]] = {}
    for method in methods:
        if missing := [label for label in studies if label not in method.results]:
            absent.setdefault(", ".join(missing), []).append(method.title)
    for labels, titles in absent.items():
        yield f"{', '.join(titles)} {'is' if len(titles) == 1 else 'are'} not in {labels}."
    for method in methods:
        forms = {
            label: json.dumps(_tuning(studies[label], result.row.search), sort_keys=True)
            for label, result in method.results.items()
        }
        if len(set(forms.values())) > 1:
            said = ", ".join(
                f"{counted(result.row.n_trials, 'trial')} in {label}"
                for label, result in method.results.items()
            )
            yield f"{method.title} is not tuned over the same values: {said}."
        kinds = {
            label: result.row.delta_m_kind
            for label, result in method.results.items()
            if result.is_final
        }
        if len(set(kinds.values())) > 1:
            yield from _told(f"what the value of {method.title} rests on", kinds)


def _tuning(frames: StudyFrames, search: str) -> dict[str, Any]:
    """What the spec says of how a search is tuned; empty of one that it has dropped."""
    for part in frames.spec.get("search", ()):
        if search in part_names(part):
            return {key: part[key] for key in _TUNING if part.get(key)}
    return {}
