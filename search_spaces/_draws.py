"""Random numbers by address, independent or evenly spread: the same on any machine."""

import hashlib
import itertools
import json
from functools import lru_cache

_BYTES = 8
_SPARE_BITS = 11  # 64 drawn bits less the 53 that a float keeps exactly
_RESOLUTION = 2**53  # finer digits would not change a float
_BELOW_ONE = 1.0 - 2.0**-53


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


def halton(index: int, *, key: str, dimensions: int) -> list[float]:
    """Scrambled Halton point number `index` of the sequence of `key`: ``[dimensions]`` in [0, 1).

    Such points fill the unit cube more evenly than independent ones. Halton (1960) writes the index
    in another prime base per coordinate and mirrors the digits at the point. Here every digit
    position goes through a random permutation of its own, drawn from the key (as in Owen, arXiv
    1706.02808), which breaks the patterns of large bases and makes each coordinate uniform.
    """
    return [_mirrored(index, base, _permutations(key, base)) for base in _primes(dimensions)]


def _mirrored(index: int, base: int, permutations: tuple[tuple[int, ...], ...]) -> float:
    numerator, denominator = 0, 1
    for permutation in permutations:
        index, digit = divmod(index, base)
        numerator = numerator * base + permutation[digit]
        denominator *= base
    return min(numerator / denominator, _BELOW_ONE)


@lru_cache(maxsize=256)
def _permutations(key: str, base: int) -> tuple[tuple[int, ...], ...]:
    """One permutation of the digits for each position that a float can tell."""
    n_digits = next(n for n in itertools.count(1) if base**n >= _RESOLUTION)
    return tuple(
        _shuffled_digits(base, uniforms("halton", key, base, position, count=base))
        for position in range(n_digits)
    )


def _shuffled_digits(base: int, draws: list[float]) -> tuple[int, ...]:
    return tuple(sorted(range(base), key=lambda digit: (draws[digit], digit)))


@lru_cache(maxsize=64)
def _primes(n: int) -> tuple[int, ...]:
    primes = (p for p in itertools.count(2) if all(p % d for d in range(2, int(p**0.5) + 1)))
    return tuple(itertools.islice(primes, n))
