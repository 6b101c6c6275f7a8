"""Imports a user's module from the normal import path, then from the study's folder.

The folder is appended, so nothing in it can hide an installed package. One study folder is on the
path at a time: a later one takes the place of an earlier one and of the modules that came from it,
so that two studies may both have a ``my_problem.py`` of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType, TracebackType

from trainers.failures import told
from trainers.problems.errors import ClassMissing, ModuleBroken, ModuleMissing, ProblemError
from trainers.suggestions import did_you_mean

# The import path belongs to the process, and so does the note of what was appended to it.
_appended: list[str] = []


def import_user_module(name: str, folder: str | None) -> ModuleType:
    """Import a module by its dotted name.

    Raises:
        ModuleMissing: It is neither on the normal import path nor in the folder.
        ModuleBroken: It was found and raised while it was imported.
    """
    _search_also(folder)
    with refused(
        lambda told: ModuleBroken(
            f"Module `{name}` must import without an error. It raised "
            f"{told}. Try it with: python -c 'import {name}'"
        )
    ):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if not _is_part(error.name, name):
                raise
    where = "the normal import path"
    where += f" and {folder}" if folder is not None else ", no folder was given"
    raise ModuleMissing(
        f"Module `{name}` was not found. Searched: {where}. Install the "
        f"package, or put {name.replace('.', '/')}.py beside the study."
    )


def member(module: ModuleType, name: str, *, of: str) -> object:
    """What a module has under a name.

    Args:
        of: What names it, to begin a message.

    Raises:
        ClassMissing: It has nothing of that name.
        ModuleBroken: Looking for it raised.
    """
    with refused(lambda told: ModuleBroken(f"{of}: looking for `{name}` raised {told}. Mend it.")):
        if hasattr(module, name):
            found: object = getattr(module, name)
            return found
        near = did_you_mean(name, vars(module))
    where = getattr(module, "__file__", None) or f"The module {module.__name__}"
    raise ClassMissing(
        f"{of} must name what exists. {where} has no `{name}`.{near} Correct the name, or define "
        "it there."
    )


def named(target: str, folder: str | None, *, of: str) -> object | None:
    """What ``package.module:Class`` names; None if a target is not of that form.

    Args:
        folder: Where the module may lie beside the normal import path.
        of: What names it, to begin a message.

    Raises:
        ProblemError: The module is missing or broken, or has nothing of that name.
    """
    module_name, _, name = target.partition(":")
    if not all(part.isidentifier() for part in [*module_name.split("."), name]):
        return None
    return member(import_user_module(module_name, folder), name, of=of)


def _is_part(missing: str | None, name: str) -> bool:
    """Whether what is missing is the module itself or a package around it."""
    return missing is not None and (name == missing or name.startswith(f"{missing}."))


def _search_also(folder: str | None) -> None:
    wanted = None if folder is None else str(Path(folder).resolve())
    for earlier in [path for path in _appended if path != wanted]:
        _appended.remove(earlier)
        if earlier in sys.path:
            sys.path.remove(earlier)
        _forget_modules_of(Path(earlier))
    if wanted is not None:
        if wanted not in sys.path:
            sys.path.append(wanted)
            _appended.append(wanted)
        invalidate_caches()  # the user may have written the file a moment ago


def _forget_modules_of(folder: Path) -> None:
    """Drop the modules that lie directly in a folder, packages with all their parts."""
    known = sys.modules.copy()  # at once: other threads import meanwhile
    tops = {name for name, module in known.items() if _lies_in(name, module, folder)}
    for name in known:
        if name.partition(".")[0] in tops:
            sys.modules.pop(name, None)


def _lies_in(name: str, module: ModuleType, folder: Path) -> bool:
    spec = getattr(module, "__spec__", None)
    if spec is None or "." in name or name == "__main__":
        return False
    places = spec.submodule_search_locations or [spec.origin or ""]
    return any(Path(place).parent == folder for place in places)


class refused:
    """Surrounds code of a user: whatever it raises, ``sys.exit`` included, becomes a refusal.

    Our own findings and Ctrl-C pass. (No generator: those take a `StopIteration` for their own.)

    Args:
        refusal: Makes the error of what was raised, in words.
    """

    def __init__(self, refusal: Callable[[str], ProblemError]) -> None:
        self._refusal = refusal

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, ProblemError | KeyboardInterrupt):
            raise self._refusal(told(error)) from error
