"""Random numbers by address: the same address gives the same numbers, on any machine."""

import hashlib
import json

_BYTES = 8
_SPARE_BITS = 11  # 64 drawn bits less the 53 that a float keeps exactly


def uniforms(*address: str | int | float, count: int) -> list[float]:
    """Independent uniform numbers in [0, 1), multiples of 2**-53.

    Args:
        address: What the numbers are for; anything different gives other numbers.
        count: How many. Asking for more keeps the first ones.
    """
    text = json.dumps(address, separators=(",", ":"))
    drawn = hashlib.shake_256(text.encode()).digest(_BYTES * count)
    words = (drawn[start : start + _BYTES] for start in range(0, len(drawn), _BYTES))
    return [(int.from_bytes(word, "big") >> _SPARE_BITS) * 2.0**-53 for word in words]
