"""Checks what a user writes on a card, field by field: one clear message each, plain values out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any, TypeVar

from trainers.errors import BadCard
from trainers.suggestions import did_you_mean

T = TypeVar("T")

LONGEST_NAME = 100
"""Of a task or a metric: columns of the database hold so much."""

SPLITS = ("train", "validation", "test")


class Fields:
    """The fields of one card, checked by rules; each gives the value as the card keeps it.

    Args:
        card: The card's kind, such as "MetricCard".
        name: What its `name` was said to be.

    Raises:
        BadCard: From every method; the message names the card and the field.
    """

    def __init__(self, card: str, name: object) -> None:
        self._card = f"{card} `{name}`" if isinstance(name, str) and name else card

    def bad(self, field: str, rule: str, found: object, way_out: str) -> BadCard:
        """The error: the rule, what was found, the way out."""
        return BadCard(f"{self._card}: `{field}` {rule}. Got {_shown(found)}. {way_out}")

    def name(self, field: str, value: object, *, longest: int = LONGEST_NAME) -> str:
        """A name: it is a key in the database and a word in tables."""
        text = self.text(field, value)
        if not text.strip():
            raise self.bad(field, "must not be empty", text, "Name it.")
        if not text.isprintable() or text != text.strip():
            raise self.bad(
                field,
                "must have no control characters, and no space at its ends",
                text,
                "Write letters, digits and dashes.",
            )
        if len(text) > longest:
            raise BadCard(
                f"{self._card[:60]}: `{field}` must have at most {longest} characters. "
                f"Got {len(text):,}. Shorten it; the title may be long."
            )
        return text

    def text(self, field: str, value: object) -> str:
        """Any text that a database and a page can hold."""
        if not isinstance(value, str):
            raise self.bad(field, "must be a string", value, f"Write {str(value)!r}.")
        if "\0" in value or any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
            raise self.bad(
                field, "must be valid text without NUL", value, "Write what a reader can read."
            )
        return str(value)

    def choice(
        self, field: str, value: object, allowed: Sequence[str], meant: Mapping[str, str]
    ) -> Any:
        """One of some words; `meant` has what people write instead."""
        if isinstance(value, str) and value in allowed:
            return value
        word = value.lower() if isinstance(value, str) else ""
        hint = f" Did you mean `{meant[word]}`?" if word in meant else did_you_mean(word, allowed)
        raise self.bad(
            field, "must be one of the words known", value, f"Allowed: {', '.join(allowed)}.{hint}"
        )

    def flag(self, field: str, value: object) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            raise self.bad(field, "must be True or False", value, "Write one of them.")
        return value

    def texts(self, field: str, value: object) -> tuple[str, ...]:
        """A tuple of texts."""
        return tuple(self.text(field, item) for item in self._items(field, value, "strings"))

    def packages(self, field: str, value: object) -> tuple[str, ...]:
        """Names under which packages are imported."""
        names = self.texts(field, value)
        for name in names:
            if not all(part.isidentifier() for part in name.split(".")):
                raise self.bad(
                    field,
                    "must have the names that are imported",
                    name,
                    'Write "sklearn" for the package that is installed as scikit-learn.',
                )
        return names

    def cards(self, field: str, value: object, kind: type[T]) -> tuple[T, ...]:
        """At least one card of a kind, no two of one name."""
        found = self._items(field, value, f"{kind.__name__}s")
        seen: set[str] = set()
        for item in found:
            if not isinstance(item, kind):
                raise self.bad(
                    field,
                    f"must hold nothing but a {kind.__name__} each",
                    item,
                    f"Write {kind.__name__}(name=..., ...).",
                )
            name = str(getattr(item, "name", ""))
            if name in seen:
                raise self.bad(field, "must have no two of one name", name, "Rename one of them.")
            seen.add(name)
        if not found:
            raise self.bad(field, "must not be empty", found, f"Give at least one {kind.__name__}.")
        return found

    def sizes(self, field: str, value: object, *, required: bool) -> dict[str, int]:
        """Samples by split."""
        if not isinstance(value, Mapping):
            raise self.bad(
                field,
                "must be a mapping by split",
                value,
                'Write {"train": 600, "validation": 200, "test": 200}.',
            )
        for split in value:
            if split not in SPLITS:
                raise self.bad(
                    field,
                    "has the splits train, validation and test",
                    split,
                    f"Rename or drop it.{did_you_mean(str(split), SPLITS)}",
                )
        missing = [split for split in SPLITS if split not in value]
        if missing and required:
            raise self.bad(
                field, f"lacks {', '.join(missing)}", dict(value), "Say how many samples each has."
            )
        return {split: self._size(f"{field}[{split!r}]", value[split]) for split in value}

    def classes(self, field: str, value: object) -> int:
        """How many classes there are."""
        n = _whole(value)
        if n < 2:
            raise self.bad(
                field, "must be a whole number of at least 2", value, "Count them, or leave it out."
            )
        return n

    def plain(self, field: str, value: object) -> Any:
        """Anything that JSON can write, as it is read back: that is what is compared later."""
        try:
            return json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError):
            raise self.bad(
                field,
                "must be a string, or something else that JSON can write",
                value,
                "Write a string that changes whenever the data does.",
            ) from None

    def _size(self, field: str, value: object) -> int:
        size = _whole(value)
        if size < 1:
            raise self.bad(field, "must be a whole number above 0", value, "No split may be empty.")
        return size

    def _items(self, field: str, value: object, what: str) -> tuple[Any, ...]:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise self.bad(field, f"must be a tuple of {what}", value, "Write (a, b), or (a,).")
        return tuple(value)


def _whole(value: object) -> int:
    """The number, of NumPy, too; -1 for what is none."""
    try:
        return -1 if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        return -1


def _shown(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 200 else f"{text[:200]}..."
