"""What ``weighbridge export`` hands to Optuna: every search as a study, every trial as a trial."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal

from search_spaces import Axis, space_from_plain
from search_spaces.lineage import without_origin
from storage import database_file, without_password
from study.cli._output import counted, next_act, print_json, say
from study.deciding.trials import to_point
from study.errors import ExportRefused
from study.spec.study_spec import StudySpec, parse

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.trials import SearchTrials, TrialRow
    from study.searches.optuna_export import OptunaStudy, OptunaTrial

PREFIX = "optuna:"
_FILE = "sqlite:///"
_DIRECTIONS: dict[str, Literal["minimize", "maximize"]] = {"min": "minimize", "max": "maximize"}


def export(
    frames: StudyFrames, output: str, *, storage: str, overwrite: bool, as_json: bool
) -> None:
    """Write a study's searches into an Optuna database.

    Args:
        output: ``optuna:`` and the database's URL.
        storage: URL of the study database, which is none of Optuna's.

    Raises:
        ExportRefused: The database cannot be used, or holds such studies already.
    """
    from reports.trials import trials
    from study.searches.optuna_export import write

    url = checked(output.removeprefix(PREFIX), storage, what="An export")
    spec = parse(frames.spec, source=f"of the stored study {frames.name}")
    studies = [optuna_study(frames, spec, search) for search in trials(frames, courses=True)]
    write(url, studies, overwrite=overwrite)
    if as_json:
        told = [{"name": study.name, "n_trials": len(study.trials)} for study in studies]
        url = without_password(url)
        print_json("export.optuna", {"study": frames.name, "url": url, "studies": told})
        return
    n_trials = sum(len(study.trials) for study in studies)
    names = ", ".join(study.name for study in studies)
    say(
        f"Wrote {counted(len(studies), 'Optuna study', 'Optuna studies')} with "
        f"{counted(n_trials, 'trial')}: {names}"
    )
    dashboard = quote(without_password(url))
    next_act(f"optuna-dashboard {dashboard}   (pip install optuna-dashboard)")


def checked(url: str, storage: str, *, what: str) -> str:
    """The URL of an Optuna database that can be written.

    Args:
        what: Is to be written there, as a sentence begins.

    Raises:
        ExportRefused: It is no URL, memory, or the study database.
    """
    if "://" not in url:
        raise ExportRefused(
            f"An Optuna database is named by a URL. Got {without_password(url) or 'none'}. "
            f"Write {PREFIX}{_FILE}trials.db."
        )
    mine = database_file(storage)
    if _file(url) is not None and url.removeprefix(_FILE).partition("?")[0] in ("", ":memory:"):
        raise ExportRefused(
            f"{what} is written into a file or a server. Got {url}, which is memory and ends "
            f"with the command. Write {PREFIX}{_FILE}trials.db."
        )
    if url == storage or (mine is not None and _file(url) == mine.resolve()):
        raise ExportRefused(
            "Optuna's tables do not go into a study database. Got the same one for both. "
            f"Name another, such as {PREFIX}{_FILE}trials.db."
        )
    return url


def _file(url: str) -> Path | None:
    return Path(url.removeprefix(_FILE)).resolve() if url.startswith(_FILE) else None


def optuna_study(frames: StudyFrames, spec: StudySpec, found: SearchTrials) -> OptunaStudy:
    """A search with its trials as a study of Optuna; read with their courses."""
    from study.searches.optuna_export import OptunaStudy

    return OptunaStudy(
        name=f"{frames.name}/{found.search}",
        directions=[_DIRECTIONS[side] for side in (found.direction, *(d for _, d in found.others))],
        names=[found.metric, *(name for name, _ in found.others)],
        axes=listed_axes(spec, found.search, n_tasks=len(frames.tasks)),
        tasks=frames.tasks,
        trials=[_trial(row) for row in found.trials],
        attrs={"value": found.metric, "weighting": found.weighting},
    )


def listed_axes(spec: StudySpec, search: str, *, n_tasks: int) -> dict[str, list[Axis]]:
    """The axes of a search by parameter, one for each stage that tunes it; none if unknown.

    They are read off the stages as they are written: no problem is opened.
    """
    found: dict[str, list[Axis]] = {}
    for part in spec.search:
        if search not in ([part.name] if part.name else part.weightings):
            continue
        for stage in (stage for stage in part.stages if stage.kind != "neighbours"):
            space = space_from_plain(stage.axes, n_tasks=n_tasks)
            for name, axis in space.axes.items():
                (parameter,) = space.named({name: 0})
                found.setdefault(parameter, []).append(axis)
    return found


def _trial(row: TrialRow) -> OptunaTrial:
    from study.searches.optuna_export import OptunaTrial

    attrs = {
        "trial": row.number,
        "state": row.state,
        "seeds": list(row.seeds),
        "device_s": row.device_s,
        "cost_s": row.cost_s,
        "delta_m_test": row.delta_m_test,
    }
    return OptunaTrial(
        params=without_origin(to_point(row.params)),
        state=row.state,
        value=row.value,
        others=row.others,
        curve=row.curve,
        started=row.started,
        ended=row.ended,
        attrs={key: value for key, value in attrs.items() if value is not None},
    )
