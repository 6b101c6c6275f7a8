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
    facts.append(fact("Tasks", _tasks(card)))
    if card.get("caveats"):
        facts.append(fact("Caveats", _list(tag("li", str(text)) for text in card["caveats"])))
    return facts


def _tasks(card: Mapping[str, Any]) -> Markup:
    """All tasks; many are folded, so that they do not stand between a reader and the results."""
    tasks: Sequence[Mapping[str, Any]] = card.get("tasks", ())
    # a trainer has losses of its own, if any, and is named with the network
    said = _list(_task(task, with_loss="trainer" not in card) for task in tasks)
    if len(tasks) <= _MOST_TASKS:
        return said
    return tag("details", tag("summary", f"{len(tasks)} tasks"), said)


def _list(items: Any) -> Markup:
    return tag("ul", *items, class_="plain")


def _task(task: Mapping[str, Any], *, with_loss: bool) -> Markup:
    metrics = ", ".join(str(m.get("title", m["name"])) for m in task["metrics"])
    title = task.get("title", task["name"])
    loss = f" (trained with {task.get('loss', 'its own loss')})" if with_loss else ""
    return tag("li", f"{title}: {metrics}{loss}")
