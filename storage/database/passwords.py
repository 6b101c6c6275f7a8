"""Takes passwords out of text, without parsing it: it may be any text that holds a URL."""

from __future__ import annotations

import re

_OF_USER = re.compile(r"(://[^:/@\s]*):[^\s]*@")  # up to the last @: passwords may hold one
_OF_QUERY = re.compile(
    r"(\b(?:(?:ssl)?password|oauth_client_secret|scram_\w+_key|options)=)('[^']*'|[^&\s]*)"
)


def without_password(text: str) -> str:
    """The text with ``***`` in place of passwords in URLs and connection strings."""
    return _OF_QUERY.sub(r"\1***", _OF_USER.sub(r"\1:***@", text))
