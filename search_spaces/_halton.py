"""Scrambled Halton points: coordinates that fill the unit cube more evenly than random ones.

Halton (1960) writes the index in another prime base per coordinate and mirrors the digits at the
point. Here every digit position goes through a random permutation of its own, drawn from the key
(as in Owen, arXiv 1706.02808), which breaks the patterns of large bases and makes each coordinate
uniform.
"""

from functools import lru_cache
from itertools import count, islice

from search_spaces._draws import uniforms

_RESOLUTION = 2**53  # finer digits would not change a float
_BELOW_ONE = 1.0 - 2.0**-53


def halton(index: int, *, key: str, dimensions: int) -> list[float]:
    """Point number `index` of the sequence that belongs to `key`: ``[dimensions]`` in [0, 1)."""
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
    n_digits = next(n for n in count(1) if base**n >= _RESOLUTION)
    return tuple(
        _shuffled_digits(base, uniforms("halton", key, base, position, count=base))
        for position in range(n_digits)
    )


def _shuffled_digits(base: int, draws: list[float]) -> tuple[int, ...]:
    return tuple(sorted(range(base), key=lambda digit: (draws[digit], digit)))


@lru_cache(maxsize=64)
def _primes(n: int) -> tuple[int, ...]:
    primes = (p for p in count(2) if all(p % d for d in range(2, int(p**0.5) + 1)))
    return tuple(islice(primes, n))
