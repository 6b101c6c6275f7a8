"""Write the generated pages of docs/reference: spec, cli, json, methods and python.

``python docs/make_reference.py`` writes them; ``--check`` writes nothing and exits with 1 if one
of them is stale. Everything is read from the code: keys from the classes of
`study.spec.study_spec`, verbs from the command line, names from the packages' `__all__`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from docs.json_reference import json_page
from docs.methods_reference import methods_page

FOLDER = Path(__file__).parent / "reference"
PACKAGES = (
    "study",
    "storage",
    "reports",
    "reports.across",
    "reports.figures",
    "reports.figures.svg",
    "reports.html",
    "reports.replaying",
    "reports.tables",
    "search_spaces",
    "search_spaces.lines",
    "search_spaces.whole",
    "search_spaces.written",
    "trainers.nets",
    "trainers.weightings",
    "trainers.weightings.levels",
    "trainers.problems",
    "trainers.problems.dense",
    "trainers.problems.labels",
    "trainers.functions",
    "trainers.exhibits",
    "trainers.testing",
)
_BUDGETS = """\
Wherever a command takes a budget (`run --budget`, `budget`, `plan --budget`, `compare --at`,
`replay --at`) it is a number with its unit, as `8h` or `200epochs`, or a name with a number, as
`epochs=200`, `device_s=8h` or `wall_s=30min`. A number alone behind a name is in the name's own
unit: `device_s=600` is ten minutes. Units may be singular and in capitals. `wall_s` is told by its
name only: a time without one is device time. A command that does not take all says which."""
SECTIONS = (
    ("Top level", "StudySpec"),
    ("[function]", "FunctionSpec"),
    ('[label_noise], `kind = "symmetric"` or `"pair"`', "RateNoiseSpec"),
    ('[label_noise], `kind = "matrix"`', "MatrixNoiseSpec"),
    ("[training]", "TrainingSpec"),
    ("[training] schedule, as a table", "StepSchedule"),
    ("[baseline]", "BaselineSpec"),
    ("[compare]", "CompareSpec"),
    ("[budget]", "BudgetSpec"),
    ("[cost]", "CostSpec"),
    ("[confirm]", "ConfirmSpec"),
    ("[keep]", "KeepSpec"),
    ("[notify]", "NotifySpec"),
    ("[diagnostics]", "DiagnosticsSpec"),
    ("[diagnostics] gradients", "GradientsSpec"),
    ("[[search]]", "SearchSpec"),
    ('[[search]] stages, `strategy = "grid"`', "GridStage"),
    ('[[search]] stages, `strategy = "random"` or `"quasi-random"`', "SampledStage"),
    ('[[search]] stages, `strategy = "tpe"`', "TpeStage"),
    ("[[search]] stages, `strategy` as a table", "OptunaStage"),
    ("[[search]] stages, a sampler of Optuna", "OptunaStrategy"),
    ("[[search]] stages, a parameter's values as a table", "AxisTable"),
    ("[[followup]]", "FollowupSpec"),
    ('stop, `rule = "median"`', "MedianRule"),
    ('stop, `rule = "halving"`', "HalvingRule"),
    ('stop, `rule = "worse-than-cohort"`', "CohortRule"),
    ('stop, `rule = "patience"`', "PatienceRule"),
    ('stop, `rule = "pbt"`', "PopulationRule"),
    ("stop, `rule` as a table", "OptunaRule"),
    ("stop, a pruner of Optuna", "OptunaPruner"),
)
MADE = "<!-- Made by `python docs/make_reference.py`; change the code, not this page. -->"

Schema = Mapping[str, Any]


def main() -> int:
    """Write the pages, or say which are stale."""
    stale = {name: text for name, text in pages().items() if not is_fresh(name, text)}
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is stale. Run: python docs/make_reference.py")
        return 1 if stale else 0
    for name, text in stale.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"Wrote docs/reference/{name}.")
    return 0


def is_fresh(name: str, text: str) -> bool:
    """Whether a page on disk has this text."""
    page = FOLDER / name
    return page.exists() and page.read_text(encoding="utf-8") == text


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    parts = {
        "spec.md": spec_page(),
        "cli.md": cli_page(),
        "json.md": json_page(),
        "methods.md": methods_page(),
        "python.md": python_page(),
    }
    return {name: "\n".join([MADE, *lines]) + "\n" for name, lines in parts.items()}


def spec_page() -> Iterator[str]:
    """Every key of a study.toml: type, default, meaning."""
    from study.spec.study_spec import StudySpec

    schema = StudySpec.model_json_schema()
    yield "# The spec: every key of a study's TOML file"
    yield ""
    yield "Unknown keys are errors. `weighbridge init my_study.toml` writes a commented example."
    yield "Keys of a stage that are not below are names of parameters: what their values may be,"
    yield "and how stages work, is on a page of its own: [stages](stages.md)."
    for title, name in SECTIONS:
        section = schema if name == "StudySpec" else schema["$defs"][name]
        yield from ("", f"## {title}", "", section["description"], "")
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        for key, field in section["properties"].items():
            default = "required" if key in section.get("required", ()) else _default(field)
            yield _row(f"`{key}`", spec_type(field), default, field["description"])


def spec_type(field: Schema) -> str:
    """A JSON schema's type in words."""
    if "$ref" in field:
        return "table"
    if forms := field.get("anyOf") or field.get("oneOf"):
        told = dict.fromkeys(spec_type(form) for form in forms if form != {"type": "null"})
        return " or ".join(told)
    if "const" in field:
        return f"`{str(field['const']).lower()}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "array":
        least = ", at least one" if field.get("minItems") else ""
        return f"list: {spec_type(field['items'])}{least}"
    return _KINDS[field["type"]] + _bounds(field)


_KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "table",
}
_BEYOND_USE = 1e9  # upper bounds from here on only keep numbers storable
_LIMITS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}


def _bounds(field: Schema) -> str:
    found = [
        f"{sign} {field[key]}"
        for key, sign in _LIMITS.items()
        if key in field and field[key] < _BEYOND_USE
    ]
    return f" {' and '.join(found)}" if found else ""


def _default(field: Schema) -> str:
    if "default" not in field:
        return "empty"  # a section, or a table of options
    value = field["default"]
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def cli_page() -> Iterator[str]:
    """The help of every verb."""
    import typer

    from study.cli._main import application

    group: Any = typer.main.get_command(application())
    yield "# The command line"
    yield from ("", group.help, "")
    yield "Exit codes: 0 all is well, 1 some runs failed (`ray doctor`, `problem check`: something"
    yield "is wrong), 2 the request cannot be met (the message says why and what to do), 3 a budget"
    yield "has ended what `watch` waited for, 130 interrupted, or answered with no."
    yield from _budgets()
    for name, verb in _verbs(group):
        operands = "".join(
            f" {_operand(p)}" for p in verb.params if p.param_type_name == "argument"
        )
        yield from ("", f"## weighbridge {name}{operands}", "", verb.help, "")
        yield "| argument | default | meaning |"
        yield "|---|---|---|"
        yield from (_row(*_parameter(param)) for param in verb.params)


def _budgets() -> Iterator[str]:
    """How `storage.amounts` reads a budget."""
    from storage.amounts import BY_NAME, UNITS

    yield from ("", "## How a budget is written", "")
    yield from _BUDGETS.split("\n")
    yield from ("", "| name | units |", "|---|---|")
    for kind, units in UNITS.items():
        alone = " (behind the name)" if kind in BY_NAME else ""
        yield _row(f"`{kind}`", ", ".join(f"`{unit}`" for unit in units) + alone)


def _verbs(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every verb by its words, those of groups included."""
    for name, verb in group.commands.items():
        if hasattr(verb, "commands"):
            yield from _verbs(verb, f"{above}{name} ")
        else:
            yield f"{above}{name}", verb


def _operand(param: Any) -> str:
    return param.metavar if param.required else f"[{param.metavar}]"


def _parameter(param: Any) -> Sequence[str]:
    if param.param_type_name == "argument":
        return f"`{_operand(param)}`", "required" if param.required else "none", param.help
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    told = param.help + (f" Environment: `{param.envvar}`." if param.envvar else "")
    if param.required:
        return names, "required", told
    # a help text that names its default does so because the value depends on the machine
    known = param.is_flag or "default:" in param.help
    return names, "" if known else f"`{param.default}`", told


def python_page() -> Iterator[str]:
    """The public names of the packages, each with the first line of its docstring."""
    yield "# Python: the public names"
    yield ""
    yield "What is not here is private. Each package's errors are drawn as a tree in its `errors`"
    yield "module; `reports.export.export(frames, path)` writes one row a run as CSV or Parquet,"
    yield "`reports.trials.trials(frames)` gives one value a trial."
    for package in PACKAGES:
        module = import_module(package)
        yield from ("", f"## {package}", "", _first_line(module), "")
        yield "| name | what it is |"
        yield "|---|---|"
        for name in sorted(module.__all__, key=str.lower):
            yield from _entry(name, getattr(module, name))


def _entry(name: str, thing: Any) -> Iterator[str]:
    if inspect.isfunction(inspect.unwrap(thing)):
        yield _row(f"`{name}{_arguments(thing)}`", _first_line(thing))
    elif isinstance(thing, type) and thing.__module__ != "builtins":
        yield _row(f"`{name}`", _first_line(thing))
        yield from (_row(f"`{name}.{key}`", text) for key, text in members(thing))
    elif isinstance(thing, float | str) and name not in VALUES:
        yield _row(f"`{name}`", f"the constant {thing!r}")
    else:
        yield _row(f"`{name}`", VALUES[name])


VALUES = {
    "__version__": "The version of Weighbridge.",
    "Exhibit": "A histogram, a curve, pictures or a table.",
    "FINAL": "The states in which a run has ended.",
    "HyperValue": "A checked value: one number, or one number a task.",
    "MOVES": "The legal moves of a run: state to the states that may follow.",
    "Point": "One point of a space: parameter name to value.",
    "promised": "Settings of Hypothesis for such tests: ten situations each, whatever the time.",
    "Split": "What an exhibit is made of: train, validation or test.",
    "STRATEGIES": "Names of the strategies that can be replayed.",
    "Value": "The value of one parameter: number, text, truth value, None, lists and tables.",
}


def members(thing: type) -> Iterator[tuple[str, str]]:
    """Public methods and properties of a class, those of an error left out."""
    if issubclass(thing, Exception):
        return
    for key, member in _own(thing):
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if key.startswith("_") or not inspect.getdoc(plain):
            continue
        if inspect.isfunction(plain):
            yield f"{key}{_arguments(plain)}", _first_line(plain)
        elif isinstance(plain, property):
            yield key, _first_line(plain)


def _own(thing: type) -> Iterator[tuple[str, Any]]:
    """What a class and those of its bases define that lie in its package, unless they are shown."""
    package, shown = thing.__module__.partition(".")[0], _public_classes()
    for base in thing.__mro__:
        if base is thing or (base.__module__.partition(".")[0] == package and base not in shown):
            yield from vars(base).items()


@cache
def _public_classes() -> set[type]:
    """Classes that have a row of their own."""
    modules = [import_module(package) for package in PACKAGES]
    public = (getattr(module, name) for module in modules for name in module.__all__)
    return {thing for thing in public if isinstance(thing, type)}


def _arguments(function: Any) -> str:
    """The signature without types, and without `self`."""
    signature = inspect.signature(function)
    shown = [_untyped(p) for p in signature.parameters.values() if p.name not in ("self", "cls")]
    plain = signature.replace(parameters=shown, return_annotation=signature.empty)
    return str(plain).replace("Ellipsis", "...")


def _untyped(parameter: inspect.Parameter) -> inspect.Parameter:
    # a function's default prints its address, which is another one in every process
    default = ... if inspect.isfunction(parameter.default) else parameter.default
    return parameter.replace(annotation=parameter.empty, default=default)


def _first_line(thing: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    paragraph = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("``", "`")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
