"""The page of a study that compares methods: sections in the order in which a reader asks."""

from collections.abc import Iterator, Sequence

from reports._ranking import better
from reports.comparing.answer import Answer, answer
from reports.comparing.comparison import Comparison, compare
from reports.frames import StudyFrames
from reports.html._budgets import budgets
from reports.html._claims import claims
from reports.html._conflicts import conflicts
from reports.html._exhibits import exhibits_section
from reports.html._front import front_section
from reports.html._holds import how_far_it_holds
from reports.html._optimizers import optimizers_section
from reports.html._plots import cost_plot, other_plots, plot
from reports.html._problem import problem
from reports.html._ran import what_was_run
from reports.html._table import tables
from reports.html._tags import Markup, answered, join, tag
from reports.html._transfer import transfer_section
from reports.importances import Estimators
from reports.notes.fair_play import MergedNote, fair_play_notes, merged
from reports.spending import EqualBudget, equal_budgets
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted

_WHAT_DELTA_M_IS = (
    "Δm is the mean, over all metrics of all tasks, of the relative change against single-task "
    "networks (STL: one network per task, trained on that task alone), with the sign turned so "
    "that lower is better for every metric. A Δm of −5 % means: on average five percent better "
    "than training each task alone; zero means no difference."
)
_WINNERS = (
    "Trials are chosen on validation and reported on test. “Cross-fit” scores a seed with the "
    "trial that the other seeds chose; “confirmed” trains the winner again on fresh seeds. Cost "
    "is start-up, training and validation of every run of a search, diverged ones included; "
    "between methods it is told as if each run had been trained alone."
)


def comparison_body(
    frames: StudyFrames, *, light: bool, estimators: Estimators | None = None
) -> Markup:
    """The page without its footer.

    Args:
        light: Figures are still pictures.
        estimators: Of importances, where trials are no full grid.
    """
    comparison, found = compare(frames), equal_budgets(frames)
    notes = merged(fair_play_notes(frames))
    in_short = answer(frames, comparison, found)
    short = None if in_short is None else _answer(in_short, len(notes))
    reading = "" if in_short is None else in_short.reading
    header = _header(comparison, frames.name, short, reading)
    said = claims(frames, estimators) if comparison.finished_runs else None
    return join([header, _main(frames, comparison, found, notes, said, light=light)])


def _header(comparison: Comparison, name: str, in_short: Markup | None, reading: str) -> Markup:
    return tag(
        "header",
        tag("p", "Weighbridge report", class_="eyebrow"),
        tag("h1", name),
        _banner(comparison),
        in_short,
        tag("p", reading, class_="asked soft") if reading else None,
        tag("p", comparison.sentence, class_="asked" if in_short else "headline"),
    )


def _answer(found: Answer, n_notes: int) -> Markup:
    """Which method at which budget, how sure, and what would make it surer: the first screen."""
    last: list[Markup | str] = list(found.surer)
    if n_notes:
        notes = counted(n_notes, "fair-play note")
        last.append(join(["Mend what can mislead: ", tag("a", notes, href="#notes"), "."]))
    parts: dict[str, Sequence[str]] = {
        "Which method, with how much?": found.which,
        "How sure is that?": found.sure,
        "What would make it surer?": last,
    }
    return answered(parts)


def _banner(comparison: Comparison) -> Markup | None:
    done, planned = comparison.finished_runs, comparison.planned_runs
    if done >= planned and planned:
        return None
    text = f"Unfinished: {done:,} of the {planned:,} runs planned so far have ended. "
    rest = "What is below can still change." if done else "There is nothing to compare yet."
    return tag("p", tag("strong", text), rest, class_="banner", role="status")


def _main(
    frames: StudyFrames,
    comparison: Comparison,
    found: Sequence[EqualBudget],
    notes: tuple[MergedNote, ...],
    said_of_claims: Markup | None,
    *,
    light: bool,
) -> Markup:
    parts: list[Markup | None] = [problem(frames.card)]
    if comparison.finished_runs:
        parts += [
            tag("section", tag("h2", "Comparison"), *_said(comparison), tables(frames, comparison)),
            tag("section", plot(cost_plot(frames), heading="h2", study=frames.name, light=light)),
            front_section(frames, light=light),
            optimizers_section(comparison.optimizers),
            transfer_section(frames),
            budgets(frames, comparison, found),
            how_far_it_holds(frames, comparison),
            said_of_claims,
            exhibits_section(frames, light=light),
            conflicts(frames, light=light),
        ]
    parts.append(_notes(notes))
    if comparison.finished_runs:
        others = [
            plot(item, heading="h3", study=frames.name, light=light) for item in other_plots(frames)
        ]
        parts.append(tag("section", tag("h2", "A closer look"), *others))
    said = [*_ranked_by(comparison), _WINNERS]
    how = tag("section", tag("h2", "How to read this"), *(tag("p", text) for text in said))
    return tag("main", *parts, what_was_run(frames), how)


def _ranked_by(comparison: Comparison) -> Iterator[str]:
    objective = comparison.objective
    epoch = "the best one by it on validation"
    if comparison.front is not None:
        epoch = "the last one, or the mean of the last ones: none is best by several objectives"
    if objective.name != DELTA_M:
        yield (
            f"Methods and trials are ranked by {objective.title}, of which {better(objective)} is "
            f"better. The epoch of a run that counts is {epoch}."
        )
    if objective.name == DELTA_M or comparison.against_stl:
        yield _WHAT_DELTA_M_IS


def _said(comparison: Comparison) -> list[Markup]:
    known = (comparison.sparser_grids, comparison.break_even)
    told = [found.sentence for found in known if found]
    return [tag("p", text) for text in (" ".join(comparison.error_sources), *told)]


def _notes(notes: tuple[MergedNote, ...]) -> Markup:
    if not notes:
        body = tag("p", "No rule of fair play fired for this study.", class_="soft")
    else:
        body = tag("ul", *(_note(note) for note in notes), class_="notes")
    return tag("section", tag("h2", "Fair-play notes", id="notes"), body)


def _note(note: MergedNote) -> Markup:
    about = f"{', '.join(note.about)}: " if note.about else ""
    return tag("li", tag("strong", f"{note.kind}: "), about, note.text)
