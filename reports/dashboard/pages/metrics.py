"""Numbers of all studies for Prometheus and what reads its format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.site import Site

_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "weighbridge_runs": ("gauge", "Runs of a study by state."),
    "weighbridge_device_seconds_total": ("counter", "Device time of all attempts."),
    "weighbridge_epochs_total": (
        "counter",
        "Epochs of all attempts, those trained twice among them.",
    ),
}
"""Each number's kind and meaning."""


def metrics(site: Site, request: Request) -> Response:  # noqa: ARG001 - as all pages
    """Runs by state, device-seconds and epochs of each study."""
    return Response("\n".join(_lines(site)) + "\n", headers={"content-type": _FORMAT})


def _lines(site: Site) -> Iterator[str]:
    studies = site.reader.study_names()
    standings = site.standings.of(studies)
    found = [(_label(one.name), standings[one.id].totals) for one in studies]
    runs, seconds, epochs = NAMES
    yield from _head(runs)
    for study, totals in found:
        for state, n in totals.states.items():
            yield f'{runs}{{study="{study}",state="{state.value}"}} {n}'
    yield from _head(seconds)
    for study, totals in found:
        yield f'{seconds}{{study="{study}"}} {totals.device_s:.6f}'
    yield from _head(epochs)
    for study, totals in found:
        yield f'{epochs}{{study="{study}"}} {totals.epochs}'


def _head(name: str) -> Iterator[str]:
    kind, about = NAMES[name]
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _label(text: str) -> str:
    """A label's value, in which three characters have a meaning."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
