"""``weighbridge doctor``: versions, database and schema, devices, problems found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import typer

from storage import StorageError, database_file, unsafe_file_system, without_password
from study._version import __version__
from study.catalogue import presets
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, counted, json_alone, print_json, styled, table
from trainers.hardware.devices import devices
from trainers.jobs import ProblemRef
from trainers.problems import build, names

NAME = "doctor"
_PACKAGES = (
    "torch",
    "torchvision",
    "optuna",
    "ray",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "pandas",
    "plotly",
    "pydantic",
)
_OPTIONAL = {"torchvision"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNetwork:
    """A network file system under a database, and what to do about it."""

    kind: str
    advice: str


def command(storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """Check versions, the database, devices and data sets."""
    with json_alone(as_json):
        findings = list(_findings(storage))
    n_bad = sum(bool(trouble) for _, _, trouble in findings)
    if as_json:
        keys = ("what", "found", "trouble")
        told = [dict(zip(keys, finding, strict=True)) for finding in findings]
        print_json("doctor", {"n_troubles": n_bad, "findings": told})
    else:
        rows = table("what", "found", "")
        for what, found, trouble in findings:
            rows.add_row(what, found, styled((trouble, "red") if trouble else ("ok", "green")))
        console.print(rows)
        console.print("No problems found." if not n_bad else f"{counted(n_bad, 'problem')} found.")
    if n_bad:
        raise typer.Exit(2)


def _findings(storage: str) -> Iterator[tuple[str, str, str]]:
    """(what, what was found, what is wrong with it)."""
    yield "weighbridge", __version__, ""
    yield "python", sys.version.split()[0], ""
    for package in _PACKAGES:
        try:
            yield package, version(package), ""
        except PackageNotFoundError:
            needed = "" if package in _OPTIONAL else f"install it: pip install {package}"
            yield package, "not installed", needed
    yield database(storage)
    yield from _file_system(storage)
    for name, description in devices():
        yield f"device {name}", description, ""
    for problem in names():
        required = build(ProblemRef(target=problem)).card.packages
        lacking = ", ".join(name for name in required if find_spec(name) is None)
        state = f"{lacking} missing" if lacking else "its data is here"
        hint = "install it: pip install 'weighbridge[datasets]'" if lacking else ""
        yield f"problem {problem}", state, hint
    yield "presets", ", ".join(presets()), ""


def database(storage: str) -> tuple[str, str, str]:
    """What a study database is and holds, and what is wrong with it."""
    from storage import Reader  # SQLAlchemy loads with it

    try:
        reader = Reader(storage)
    except StorageError as error:
        if getattr(error, "missing", False):
            return "database", f"{without_password(storage)}: none yet", ""
        return "database", "cannot be used", str(error)
    studies = counted(len(reader.studies()), "study", "studies")
    found = f"{reader.url}, schema {reader.schema_version}, {studies}"
    reader.close()
    return "database", found, ""


def _file_system(storage: str) -> Iterator[tuple[str, str, str]]:
    try:
        shared = on_network(storage)
    except StorageError:
        return  # as told of the database
    if shared is not None:
        yield "file system", shared.kind, shared.advice


def on_network(storage: str) -> OnNetwork | None:
    """What there is to say of the file system of a storage URL; None if all is well."""
    path = database_file(storage)
    kind = None if path is None else unsafe_file_system(path)
    if kind is None:
        return None
    return OnNetwork(
        kind=kind,
        advice=f"{path} is on a network file system ({kind}), where SQLite may damage it. "
        "Use a local disk, or PostgreSQL for several machines.",
    )
