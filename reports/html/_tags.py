"""HTML by construction: what is not marked up already is escaped.

A page is put together from `tag` calls. Plain strings, numbers and names from a database are
escaped on the way in; only the result of another call passes as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

_VOID = frozenset({"br", "hr", "img", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | int | None


def tag(name: str, *children: Content, **attributes: str | int | bool) -> Markup:
    """One element.

    Args:
        name: The element's name.
        children: Text, which is escaped, or `Markup`; None is left out.
        attributes: `class_` for `class`, underscores for hyphens; True is an attribute without a
            value, False leaves it out.
    """
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(children)}</{name}>")


def join(children: Iterable[Content]) -> Markup:
    """Several children one after the other, escaped where they are plain text."""
    return Markup("".join(_child(child) for child in children if child is not None))


def boxed(caption: str, head: Markup, body: Sequence[Markup], *, class_: str = "numbers") -> Markup:
    """A table that scrolls sideways on a narrow page while its caption stays."""
    said = tag("caption", tag("span", caption))
    whole = tag("table", said, tag("thead", head), tag("tbody", *body), class_=class_)
    return tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex=0)


def answered(parts: Mapping[str, Sequence[str]]) -> Markup:
    """The first screen: questions, each with its sentences; without those that have none."""
    said = [
        join([tag("dt", head), tag("dd", *(tag("p", text) for text in texts))])
        for head, texts in parts.items()
        if texts
    ]
    return tag("dl", *said, class_="headline answer")


def method_head(title: str, colour: str) -> Markup:
    """A method's name at the head of its row, with the colour that it has in figures."""
    swatch = tag("span", class_="swatch", style=f"background:{colour}")
    return tag("th", swatch, title, scope="row", class_="method")


def _child(child: str | int) -> str:
    return child if isinstance(child, Markup) else escape(str(child), quote=False)


def _attribute(key: str, value: str | int | bool) -> str:
    if value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
