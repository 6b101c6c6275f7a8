"""The user's own code, told apart by its source: what a run was trained with.

A study names modules: of its problem, its training function, its weightings, its optimiser. Their
source files are hashed, and those of what they import, as far as it is the user's own: neither
Python's, nor ours, nor an installed package, unless the study names a module of that package.
Nothing is executed: imports are read in the source.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import pkgutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path

_FINGERPRINT, _MODULE = "user code", "module:"
_OURS = {"reports", "search_spaces", "storage", "study", "trainers"}
_OUR_FOLDERS = tuple(f"{Path(__file__).parents[2] / name}{os.sep}" for name in sorted(_OURS))
_ANY = ".*"
_INSTALLED = {"site-packages", "dist-packages"}
_PYTHON = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))


@dataclass(frozen=True, slots=True)
class Code:
    """The source of a user's own modules.

    Attributes:
        modules: Dotted name to the hash of its source, 16 hex digits.
    """

    modules: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of all of it; empty if there is no code of the user's own."""
        if not self.modules:
            return ""
        lines = [f"{name} {digest}\n" for name, digest in sorted(self.modules.items())]
        return sha256("".join(lines).encode()).hexdigest()

    def changed(self, before: Code) -> list[str]:
        """Modules that are others than before, new, or gone."""
        names = sorted({*self.modules, *before.modules})
        return [name for name in names if self.modules.get(name) != before.modules.get(name)]

    def told(self) -> dict[str, str]:
        """As entries of a worker's environment; see `told_code`."""
        if not self.modules:
            return {}
        entries = {f"{_MODULE}{name}": digest for name, digest in self.modules.items()}
        return {_FINGERPRINT: self.fingerprint, **entries}


def told_code(environment: Mapping[str, str]) -> Code:
    """The code that a worker has told of."""
    entries = environment.items()
    return Code({k.removeprefix(_MODULE): v for k, v in entries if k.startswith(_MODULE)})


def code_of(modules: Iterable[str], folder: str | None) -> Code:
    """Read the source of modules and of what they import.

    Args:
        modules: Dotted names; such as are not found are left out.
        folder: Where modules may lie besides the normal import path.
    """
    importlib.invalidate_caches()  # a file may have been written a moment ago
    reading = _Reading({name.partition(".")[0] for name in modules}, folder)
    for name in modules:
        reading.begin(name)
    return Code(reading.found)


def unread(code: Code) -> list[str]:
    """Modules of the user's own that are loaded here, and that no import that was read names.

    Args:
        code: What has been read.
    """
    files = {name: getattr(of, "__file__", None) or "" for name, of in sys.modules.copy().items()}
    return sorted(
        name
        for name, file in files.items()
        if name not in code.modules
        and file.endswith(".py")
        and all(map(_is_own, (file, files.get(name.partition(".")[0], ""))))
    )


def _is_own(file: str) -> bool:
    """Whether a module's file is neither Python's, nor ours, nor an installed package's."""
    if not file:
        return True  # a package without a source
    # texts, no paths: each worker asks of all the modules that torch has brought
    if not os.path.isabs(file) or file.startswith((*_PYTHON, *_OUR_FOLDERS)):
        return False
    return _INSTALLED.isdisjoint(file.split(os.sep))


class _Reading:
    """Follows imports from module to module.

    Args:
        named: Packages whose modules count even where they are installed.
    """

    def __init__(self, named: Iterable[str], folder: str | None) -> None:
        self._named = frozenset(named) - _OURS
        self._path = [*sys.path, *([] if folder is None else [folder])]
        self._specs: dict[str, ModuleSpec | None] = {}
        self.found: dict[str, str] = {}

    def begin(self, name: str) -> None:
        """Take in a module and all that it leads to."""
        waiting = [name]
        while waiting:
            for module in _with_parents(waiting.pop()):
                if module.endswith(_ANY):
                    waiting += self._all_of(module.removesuffix(_ANY))
                elif module not in self._specs and (spec := self._spec(module)) is not None:
                    waiting += self._read(spec)

    def _all_of(self, package: str) -> list[str]:
        """Names of a package's modules; the package has been looked for before."""
        spec = self._specs.get(package)
        places = spec and spec.submodule_search_locations
        return [f"{package}.{module.name}" for module in pkgutil.iter_modules(places or [])]

    def _read(self, spec: ModuleSpec) -> list[str]:
        """Hash a module's source; returns the names that it may import."""
        if spec.origin is None or not Path(spec.origin).is_file():
            return []  # a folder without a source of its own
        content = Path(spec.origin).read_bytes().replace(b"\r\n", b"\n")
        self.found[spec.name] = sha256(content).hexdigest()[:16]
        if not spec.origin.endswith(".py"):
            return []
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []  # Python will say so when it is imported
        is_package = spec.submodule_search_locations is not None
        return [*_imported(tree, spec.name if is_package else spec.name.rpartition(".")[0])]

    def _spec(self, name: str) -> ModuleSpec | None:
        """Where a module of the user's own lies; its package has been looked for before."""
        parent = name.rpartition(".")[0]
        if parent:
            package = self._specs.get(parent)
            places = None if package is None else package.submodule_search_locations
            spec = None if places is None else _in_folders(name, places)
        else:
            spec = self._top(name)
        self._specs[name] = spec
        return spec

    def _top(self, name: str) -> ModuleSpec | None:
        if name in _OURS or name in sys.builtin_module_names:
            return None
        spec = _in_folders(name, self._path) or _by_other_finders(name)
        if spec is None:
            return None
        place = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        if _INSTALLED & {*Path(place).parts}:
            return spec if name in self._named else None
        return None if place.startswith(_PYTHON) else spec


def _in_folders(name: str, folders: Iterable[str]) -> ModuleSpec | None:
    """A module that lies in one of some folders; or a package without a file, across them."""
    parts: list[str] = []
    for folder in folders:
        finder = pkgutil.get_importer(folder or os.getcwd())
        spec = None if finder is None else finder.find_spec(name)
        if spec is not None and spec.loader is not None:
            return spec
        parts += (spec and spec.submodule_search_locations) or ()
    if not parts:
        return None
    package = ModuleSpec(name, None, is_package=True)
    package.submodule_search_locations = parts
    return package


def _by_other_finders(name: str) -> ModuleSpec | None:
    """Packages that were installed to be edited may have a finder of their own."""
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # the latter for `__main__`
        return None


def _with_parents(name: str) -> Iterator[str]:
    """A module's packages, which are imported before it, and itself."""
    parts = name.split(".")
    return (".".join(parts[:n]) for n in range(1, len(parts) + 1))


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Names of modules that a source may import; other names of what it imports are among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _imports_by_name(node.func):
            yield from (_absolute(text, package) for text in map(_beginning, node.args[:1]) if text)
        elif isinstance(node, ast.Assign) and _names_all(node.targets):
            texts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            yield from (f"{package}.{text}" for text in texts if isinstance(text, str))


def _beginning(name: ast.expr) -> str:
    """A name as it is written, or all that begins with what is known of it; or nothing.

    Of ``f"nets.{kind}"``, ``"nets." + kind``, ``"nets.%s" % kind`` and ``"nets.{}".format(kind)``
    it is known that they lie in ``nets``.
    """
    if isinstance(name, ast.Constant):
        return name.value if isinstance(name.value, str) else ""
    first: ast.expr | None = None
    if isinstance(name, ast.JoinedStr):
        first = next(iter(name.values), None)
    elif isinstance(name, ast.BinOp):
        first = name.left
    elif isinstance(name, ast.Call) and isinstance(name.func, ast.Attribute):
        first = name.func.value
    text = first.value if isinstance(first, ast.Constant) else ""
    known = text.partition("%")[0].partition("{")[0] if isinstance(text, str) else ""
    package, dot, _ = known.rpartition(".")
    return f"{package}{_ANY}" if dot else ""


def _absolute(name: str, package: str) -> str:
    """``..b`` in package ``a.c`` is ``a.b``."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    above = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join(filter(None, [*above, name.lstrip(".")]))


def _imports_by_name(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in ("import_module", "__import__")


def _names_all(targets: Iterable[ast.expr]) -> bool:
    """``from package import *`` imports the modules that its ``__all__`` names."""
    return any(getattr(target, "id", "") == "__all__" for target in targets)
