"""``weighbridge watch``: a study in the terminal, live, until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from storage.errors import UnknownStudy
from study.asking import Asking
from study.catalogue import reading, started, stored_name
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import errors, next_step, styled
from study.cli._watch_answers import Answering
from study.cli._watch_views import View, view_for
from study.cli._watched import Look, Watched
from study.errors import StudyError

NAME = "watch"
_POLL_S = 1.0
_PATIENCE_S = 1.0
_OUT_OF_BUDGET = 3


def command(
    study: Study,
    storage: StorageUrl = STORAGE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each change.")
    ] = False,
) -> None:
    """Watch a study until it is over; elsewhere than on a terminal, a line for each change.

    Of a file whose study has not been started it waits until that is done.
    It reads what has changed and writes nothing; Ctrl-C ends the watching, not the study. Ends with
    0 when all is done, 1 if runs failed, 3 if a budget has ended it.
    """
    from storage import Reader  # SQLAlchemy loads with it

    name = stored_name(study, storage=storage)
    if Path(study).is_file():
        try:
            wait_for_begin(name, storage=storage)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
    reader = Reader(storage, patience_s=_PATIENCE_S)
    answering = Answering(Asking(storage))
    try:
        view = view_for(as_json=as_json)
        study_record = started(reader, name, typed=study, storage=storage)
        last = _watch(Watched(reader, study_record, back=view.back), answering, view)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        answering.end()
        reader.close()
    if not as_json:
        next_step("compare", last.study.name, storage=storage)
    if last.spent or last.failed:
        raise typer.Exit(_OUT_OF_BUDGET if last.spent else 1)


def wait_for_begin(
    name: str, *, storage: str, wait: Callable[[float], object] = time.sleep
) -> None:
    """Wait until a study is stored, and say so: whoever starts it may be doing that right now."""
    said = False
    while not _is_begun(name, storage):
        if not said:
            text = f" the study {name} has not been started yet; waiting for it. Ctrl-C ends that."
            errors.print(styled(("note", "yellow"), text), soft_wrap=True)
            said = True
        wait(_POLL_S)


def _is_begun(name: str, storage: str) -> bool:
    with reading(storage) as reader:
        return reader is not None and reader.find_study(name) is not None


def _watch(watched: Watched, answering: Answering, view: View) -> Look:
    """Look on until it is over; the last look.

    Raises:
        StudyError: The study was deleted.
    """
    shown: tuple[object, ...] = ()
    try:
        while True:
            try:
                look = watched.look(answering.latest)
            except UnknownStudy as error:
                raise StudyError(f"The study is there no more: it was deleted. {error}") from error
            soon = look.all_ended or look.spent != ""
            answering.want(look.study.name, look.pulse.change, soon=soon)
            alive = look.pulse.alive, look.is_between
            state = (look.pulse.change, alive, look.answers, look.trouble)
            view.show(look, bool(look.events) or state != shown)
            shown = state
            if not look.trouble and _is_last(look):
                return look
            answering.changed.wait(_POLL_S)
            answering.changed.clear()
    finally:
        view.end()


def _is_last(look: Look) -> bool:
    """Whether it is over, and the headline is of its end."""
    if not (look.over or look.spent):
        return False
    return look.answers.change == look.pulse.change
