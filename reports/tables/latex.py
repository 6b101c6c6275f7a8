"""A table as LaTeX, for the package booktabs."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from reports._digits import written
from reports.tables.columns import Column
from reports.tables.method_table import Cell, Line, MethodTable
from reports.tables.traces import one_line, traces

_ESCAPED: Final = {
    "\\": r"\textbackslash{}",
    **{special: f"\\{special}" for special in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "Δ": r"$\Delta$",
    "µ": r"$\mu$",  # the micro sign; the next one is the letter
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
    "\N{MINUS SIGN}": "$-$",
    "°": r"\textdegree{}",
    "²": "$^2$",
    "×": r"$\times$",
}
_ARROWS: Final = {"min": r"$\downarrow$", "max": r"$\uparrow$"}


def latex(table: MethodTable) -> str:
    """A floating table; comments name the runs behind each cell."""
    columns = table.columns
    label = re.sub(r"[^a-z0-9]+", "-", table.study.lower()).strip("-")
    return "\n".join(
        [
            "% Made by Weighbridge. In the preamble: \\usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{escaped(table.caption)}}}",
            f"  \\label{{tab:{label}}}",
            f"  \\begin{{tabular}}{{l{'r' * len(columns)}}}",
            r"    \toprule",
            *_heads(columns),
            r"    \midrule",
            *(_row(line, columns, table.forms) for line in table.lines),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            *(f"% {trace}" for trace in traces(table)),
            "",
        ]
    )


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_ESCAPED.get(character, character) for character in one_line(text))


def _heads(columns: Sequence[Column]) -> Iterator[str]:
    """Names of tasks over their columns, with rules under them; then names of columns."""
    groups, rules, at = [], [], 2
    for group, members in groupby(columns, lambda column: column.group):
        width = len(list(members))
        groups.append(f"\\multicolumn{{{width}}}{{c}}{{{escaped(group)}}}" if group else "")
        rules += [f"\\cmidrule(lr){{{at}-{at + width - 1}}}"] * bool(group)
        at += width
    yield f"    {' & '.join(['', *groups])} \\\\"
    yield f"    {' '.join(rules)}"
    names = [
        " ".join(
            filter(
                None,
                (
                    escaped(column.title),
                    f"({escaped(column.unit)})" if column.unit else "",
                    _ARROWS[column.direction],
                ),
            )
        )
        for column in columns
    ]
    yield f"    {' & '.join(['Method', *names])} \\\\"


def _row(line: Line, columns: Sequence[Column], forms: Sequence[str]) -> str:
    cells = [
        _cell(cell, form, with_interval=column.with_interval)
        for cell, column, form in zip(line.cells, columns, forms, strict=True)
    ]
    return f"    {' & '.join([escaped(line.method), *cells])} \\\\"


def _cell(cell: Cell, form: str, *, with_interval: bool) -> str:
    if math.isnan(cell.value):
        return "--"
    if math.isinf(cell.value):
        return "diverged"
    value = _number(cell.value, form)
    said = f"$\\mathbf{{{value}}}$" if cell.bold else f"${value}$"
    if with_interval and cell.interval is not None:
        low, high = (_number(end, form) for end in (cell.interval.low, cell.interval.high))
        said += f" {{\\scriptsize $[{low}, {high}]$}}"
    return said


def _number(value: float, form: str) -> str:
    digits, _, power = written(value, form).partition("e")
    return f"{digits} \\times 10^{{{int(power)}}}" if power else digits
