"""A value as a message quotes it."""

_MOST_CHARACTERS = 120


def shown(value: object) -> str:
    """As Python writes it, cut if it is long: a message is one sentence, whatever was written."""
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."
