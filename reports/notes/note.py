"""A fair-play note: one thing that a reader of the results must know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One remark on how far the results can be trusted.

    Attributes:
        kind: Short name of the rule that fired, such as ``"lr edge"``.
        search: The search that it concerns; None if it concerns the whole study.
        text: One or two sentences: what was found, and where possible what to do.
        about: The search's title, if `text` reads as said of it; empty if it says so itself.
    """

    kind: str
    search: str | None
    text: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedNote:
    """What several searches have in common, said once.

    Attributes:
        about: Titles of the searches that `text` is said of; empty for the whole study.
    """

    kind: str
    about: tuple[str, ...]
    text: str
