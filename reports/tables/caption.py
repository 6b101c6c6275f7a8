"""What a table's numbers are, in one paragraph: protocol, seeds, intervals, what is bold."""

from collections.abc import Iterator, Sequence

from reports._eligible import RANKED
from reports._selected import selection_of
from reports.comparing.rows import MethodRow
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.spending.axes import AXES, axis_of_matches
from reports.tables.columns import Column
from storage.notices import notices
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted

_KINDS = {
    "confirmed": "winners trained again on fresh seeds (confirmed)",
    "cross-fit": "each seed scored with the trial that the other seeds chose (cross-fit)",
    "same-seed": "the seed that chose also scores, which is optimistic (same-seed)",
}
_CHOSEN_AFRESH = (
    "the best trials of a search trained again on fresh seeds, each of which is scored with the "
    "one that the others chose (confirmed)"
)


def caption_of(
    frames: StudyFrames, rows: Sequence[MethodRow], columns: Sequence[Column], *, any_bold: bool
) -> str:
    """The caption.

    Args:
        rows: Of the methods, without the single-task networks.
        columns: Those of the table.
        any_bold: Some cell is bold.
    """
    parts = [
        *_protocol(frames),
        *notices(frames.spec),
        *_kinds(frames, rows),
        *_columns(rows, [column.name for column in columns], any_bold=any_bold),
        *_cost(frames),
    ]
    return " ".join(parts)


def _protocol(frames: StudyFrames) -> Iterator[str]:
    problem = frames.card.get("title") or frames.card.get("name") or frames.spec.get("problem", "")
    yield f"Test values of each method's winner in the study {frames.name} on {problem}."
    planned = frames.runs[frames.runs["planned"]]
    done = int(planned["state"].isin(RANKED).sum())
    if done < len(planned):
        yield f"Unfinished: {done} of {len(planned)} runs."
    yield f"Winners were chosen on validation{_training(frames)}; a run counts {_epoch(frames)}."


def _training(frames: StudyFrames) -> str:
    training = frames.spec.get("training", {})
    if not training.get("epochs"):
        return ""
    weighs = not frames.of_trainer  # which has parameters of its own
    how = [
        f"batch size {training['batch_size']}" if training.get("batch_size") else "",
        f"optimiser {training['optimizer']}" if training.get("optimizer") and weighs else "",
    ]
    said = f" ({', '.join(filter(None, how))})" if any(how) else ""
    return f" after {counted(training['epochs'], 'epoch')} of training{said}"


def _epoch(frames: StudyFrames) -> str:
    selection = selection_of(frames)
    if selection.rule == "best":
        return "at its best epoch on validation"
    if selection.rule == "last":
        return "at its last epoch"
    return f"by the mean of its last {selection.k} epochs"


def _kinds(frames: StudyFrames, rows: Sequence[MethodRow]) -> Iterator[str]:
    """What values rest on, and over which seeds; with names where methods differ."""
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for row in rows:
        if (winner := winner_of(frames, row.search)) is not None:
            said = _KINDS[winner.kind] if winner.fresh is None else _CHOSEN_AFRESH
            groups.setdefault((said, tuple(winner.by_seed)), []).append(row.title)
    for (said, seeds), titles in groups.items():
        whose = f" of {', '.join(titles)}" if len(groups) > 1 else ""
        named = ", ".join(map(str, seeds))
        yield (f"Values{whose} are means over {counted(len(seeds), 'seed')} ({named}): {said}.")


def _columns(rows: Sequence[MethodRow], names: Sequence[str], *, any_bold: bool) -> Iterator[str]:
    if DELTA_M in names:
        yield (
            "Δm is the mean relative change of all metrics against single-task networks (STL), "
            "lower is better."
        )
    if any(row.interval for row in rows):
        more = ", of Δm those of STL included" if DELTA_M in names else ""
        yield f"Brackets: 95 % interval over seeds{more}, given one data split."
    if any_bold:
        yield (
            "Bold: the best method of a column of test values, and those whose difference to it "
            "cannot be told from zero (95 % over seeds, after Holm within the column); STL and "
            "what is unfinished take no part."
        )
    else:
        yield "Nothing is bold: no interval tells two finished methods apart or together."


def _cost(frames: StudyFrames) -> Iterator[str]:
    alone = ", as if each had been trained alone" if frames.packed else ""
    fresh = (frames.runs["role"] == "confirm").any()
    yield (
        f"Cost: {AXES[axis_of_matches(frames)].unit} of all runs of a search{alone}"
        f"{', without those on fresh seeds' if fresh else ''}."
    )
