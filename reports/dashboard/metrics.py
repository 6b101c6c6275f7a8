"""Numbers of all studies for Prometheus and what reads its format."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.site import Site

_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


def metrics(site: Site, request: Request) -> Response:  # noqa: ARG001 - as all pages
    """Runs by state, device-seconds and epochs of each study."""
    return Response("\n".join(_lines(site)) + "\n", headers={"content-type": _FORMAT})


def _lines(site: Site) -> Iterator[str]:
    found = [(_label(one.name), site.reader.totals(one.id)) for one in site.reader.studies()]
    yield "# HELP weighbridge_runs Runs of a study by state."
    yield "# TYPE weighbridge_runs gauge"
    for study, totals in found:
        for state, n in totals.states.items():
            yield f'weighbridge_runs{{study="{study}",state="{state.value}"}} {n}'
    yield "# HELP weighbridge_device_seconds_total Device time of all attempts."
    yield "# TYPE weighbridge_device_seconds_total counter"
    for study, totals in found:
        yield f'weighbridge_device_seconds_total{{study="{study}"}} {totals.device_s:.6f}'
    yield "# HELP weighbridge_epochs_total Epochs of all attempts, those trained twice among them."
    yield "# TYPE weighbridge_epochs_total counter"
    for study, totals in found:
        yield f'weighbridge_epochs_total{{study="{study}"}} {totals.epochs}'


def _label(text: str) -> str:
    """A label's value, in which three characters have a meaning."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
