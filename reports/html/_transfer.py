"""How features carry over to corrupted images: words, a table, and a heat table by kind."""

from collections.abc import Iterator

from reports._palette import method_colour
from reports._titles import weighting_of
from reports.claims.transfers_better import better, remarks, shown, together, told
from reports.comparing.transfer import (
    Transfer,
    conditions_table,
    methods_said,
    not_followed_up,
    transfers,
)
from reports.frames import StudyFrames
from reports.html._tags import Markup, boxed, method_head, tag
from storage.wording import counted

_MEANT = (
    "δ is a metric on corrupted images over that on clean ones, minus the same of single-task "
    "networks, oriented so that below 0 multi-task features lose less; the mean over metrics, "
    "kinds and severities{sure}."
)
_SURE = " (95 % intervals over seeds, heads of one seed against those of the same)"
_HEAT = "δ by kind of corruption and severity, the mean over seeds and tasks. Green: below 0."
_UNDECIDED = "Whether multi-task features transfer better is undecided"
_FULL = 0.5  # of the darkest shade


def transfer_section(frames: StudyFrames) -> Markup | None:
    """The section; None where no follow-up is done, or test values are sealed."""
    found = transfers(frames)
    if not found:
        return None
    return tag(
        "section",
        tag("h2", "Corrupted images", id="corrupted-images"),
        *(tag("p", text) for text in _said(frames, found)),
        _table(frames, found),
        *(_heat(one) for one in found),
    )


def _said(frames: StudyFrames, found: tuple[Transfer, ...]) -> Iterator[str]:
    whole, missing = together(found), not_followed_up(frames, found)
    verdict = {
        "supported": "Multi-task features transfer better to corrupted images",
        "not supported": "Multi-task features transfer worse to corrupted images",
    }.get("undecided" if missing else better(whole), _UNDECIDED)
    yield f"{verdict}: δ {told(whole)}, the mean of {methods_said(found)}."
    if missing:
        yield f"Not followed up yet: {', '.join(missing)}."
    yield _MEANT.format(sure=_SURE if whole.interval() else "")
    of_followups = {one.followup: one.conditions for one in found}
    for name, conditions in of_followups.items():
        tested = "Tested" if len(of_followups) == 1 else f"In {name} tested"
        kinds = dict.fromkeys(kind for kind, _ in conditions)
        yield f"{tested} on {counted(len(conditions), 'condition')}: {', '.join(kinds)}."
    yield from remarks(frames, found)


def _table(frames: StudyFrames, found: tuple[Transfer, ...]) -> Markup:
    heads = ["Method", *frames.tasks, "all tasks"]
    body = [
        tag(
            "tr",
            method_head(one.title, method_colour(weighting_of(frames, one.search))),
            *(
                tag("td", told(one.of_task(task)) if task in one.by_task else "–")
                for task in frames.tasks
            ),
            tag("td", told(one.whole)),
        )
        for one in found
    ]
    caption = "δ of each method’s winner by task, below 0: loses less than single-task networks."
    return boxed(caption, tag("tr", *(tag("th", head, scope="col") for head in heads)), body)


def _heat(one: Transfer) -> Markup:
    severities = sorted({severity for _, severity in one.conditions})
    most = max(float(abs(one.by_seed.mean(axis=0)).max()), 1e-12)
    body = [
        tag(
            "tr",
            tag("th", kind.replace("_", " "), scope="row"),
            *(_cell(values.get(severity), most) for severity in severities),
        )
        for kind, values in conditions_table(one)
    ]
    heads = ("Kind", *(f"severity {severity}" for severity in severities))
    head = tag("tr", *(tag("th", text, scope="col") for text in heads))
    return boxed(f"{one.title}: {_HEAT}", head, body)


def _cell(value: float | None, most: float) -> Markup:
    if value is None:
        return tag("td", "–")
    colour = "0,128,64" if value < 0 else "200,64,32"
    shade = f"background:rgba({colour},{_FULL * min(abs(value) / most, 1.0):.2f})"
    return tag("td", shown(value), style=shade)
