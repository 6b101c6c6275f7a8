"""The problem's card: what was learned, from which data, with which reservations."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.html._tags import Content, Markup, join, tag
from reports.html._words import KINDS, count

_MOST_TASKS = 6


def problem(card: Mapping[str, Any]) -> Markup:
    """The section about the problem."""
    return tag(
        "section",
        tag("h2", f"Problem: {card.get('title', card.get('name', 'unnamed'))}"),
        tag("dl", *(join(pair) for pair in _facts(card)), class_="facts"),
    )


def fact(name: str, *value: Content) -> tuple[Markup, Markup]:
    """One line of a list of facts."""
    return tag("dt", name), tag("dd", *value)


def _facts(card: Mapping[str, Any]) -> list[tuple[Markup, Markup]]:
    kind = str(card.get("kind", "unknown"))
    facts = [fact("Data", tag("span", KINDS.get(kind, kind), class_="badge"))]
    sizes = ", ".join(f"{count(n)} {split}" for split, n in card.get("sizes", {}).items())
    texts = {
        "Size": sizes,
        "Network": card.get("network", ""),
        "Source": card.get("source", ""),
        "Licence": card.get("licence", ""),
    }
    facts += [fact(name, str(text)) for name, text in texts.items() if text]
    facts.append(fact("Tasks", _tasks(card.get("tasks", ()))))
    if card.get("caveats"):
        facts.append(fact("Caveats", _list(tag("li", str(text)) for text in card["caveats"])))
    return facts


def _tasks(tasks: Sequence[Mapping[str, Any]]) -> Markup:
    """All tasks; many are folded, so that they do not stand between a reader and the results."""
    said = _list(_task(task) for task in tasks)
    if len(tasks) <= _MOST_TASKS:
        return said
    return tag("details", tag("summary", f"{len(tasks)} tasks"), said)


def _list(items: Any) -> Markup:
    return tag("ul", *items, class_="plain")


def _task(task: Mapping[str, Any]) -> Markup:
    metrics = ", ".join(str(m.get("title", m["name"])) for m in task["metrics"])
    title = task.get("title", task["name"])
    return tag("li", f"{title}: {metrics} (trained with {task.get('loss', 'its own loss')})")
