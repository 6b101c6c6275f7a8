"""Tiles of a photo of a healthy retina, into which real microaneurysms are transplanted.

A lesion is where light is absorbed: its profile says which share is lacking in each pixel. The two
profiles come from a photo of another eye; a tile's pixels are dimmed by them, resampled to another
size and turned. Distractors are dimmed the same way, by shapes that no lesion has.

Draws are raw bits of NumPy's PCG64, which stay as they are from version to version.

Shapes: N tiles of a split, s side of a tile, H and W of the photo, L lesions, K pixels of a
profile's side.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from trainers.problems._draws import permutation, uniforms
from trainers.problems.files.pictures import pillow
from trainers.problems.regions import Region

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays
    from trainers.problems._fundus_sectors import Sector
    from trainers.randomness import Key

Floats = NDArray[np.float64]

KIND: Final = "microaneurysm"
_CENTRES: Final = ((23, 16), (71, 49))
"""Row and column of the two microaneurysms of the photo that has them."""
_REACH: Final = 8
"""Pixels from a profile's middle to its edge."""
_CORE: Final = 5.0
"""Pixels from the middle on from which a profile fades to nothing: vessels pass by."""
_ABSORBED: Final = (0.17, 1.0, 0.65)
"""How much of red and blue is absorbed for one of green: that of the vessels of `retina.jpg`."""
_SCALES: Final = (0.8, 1.6)
_EXTENT: Final = 0.25
"""A lesion's mask ends where it absorbs so much of what it does in its middle."""
_APART: Final = 14
"""Pixels from the middle of one lesion or distractor to that of the next, at least."""
_BORDER: Final = 10
"""Pixels from a middle to the edge of the tile, at least."""
_TRIES: Final = 32
_VESSEL: Final = 0.9
"""Lesions are not put where the photo has less than so much of the green around it."""
_AROUND: Final = 20
_PIXELS: Final = np.arange(-_REACH, _REACH + 1, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """The tiles of a split.

    Attributes:
        images: ``[N, 3, s, s]``.
        regions: Lesions of each tile.
    """

    images: NDArray[np.uint8]
    regions: Sequence[Sequence[Region]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Lesions of each tile, ``[N]``."""
        return np.array([len(of) for of in self.regions], dtype=np.int64)


def parsed(contents: Sequence[bytes]) -> Arrays:
    """``retina [3, H, W]`` in bytes, ``open [H, W]``: no vessel; ``profiles [2, K, K]``.

    Args:
        contents: The photo of the retina, and that of the microaneurysms.

    Raises:
        MissingPackage: What opens pictures is not installed.
    """
    retina = _opened(contents[0], "RGB")
    green = retina[..., 1].astype(np.float64)
    return {
        "retina": np.moveaxis(retina, -1, 0).copy(),
        "open": green >= _VESSEL * _mean_around(green),
        "profiles": _profiles(_opened(contents[1], "L").astype(np.float64)),
    }


def tiles(
    photo: Arrays,
    sector: Sector,
    *,
    n_tiles: int,
    side: int,
    contrast: float,
    distractors: int,
    key: Key,
) -> Tiles:
    """Cut tiles, and put lesions and distractors into them.

    Half of the tiles have no lesion, a sixth each one, two and three, give or take one. How many
    distractors a tile has, does not depend on its lesions.

    Args:
        contrast: Factor of what lesions and distractors absorb; 1 as the real ones do.
        distractors: A tile has none to so many.
        key: Address of all draws.
    """
    n_lesions = np.resize([0, 1, 0, 2, 0, 3], n_tiles)[permutation(n_tiles, key / "lesions")]
    images = np.empty((n_tiles, 3, side, side), dtype=np.uint8)
    regions = []
    for number in range(n_tiles):
        draws, of_others = _Draws(key / number), _Draws(key / number / "distractors")
        tile, is_open = _cut(photo, sector, side, draws)
        lesions = _places(is_open, int(n_lesions[number]), [], draws)
        others = _places(is_open, of_others.below(distractors + 1), lesions, of_others)
        absorbed = [_lesion(photo["profiles"], y, x, side, draws) for y, x in lesions]
        regions.append(
            [
                Region(kind=KIND, y=y, x=x, mask=amount >= _EXTENT * amount.max())
                for (y, x), amount in zip(lesions, absorbed, strict=True)
            ]
        )
        absorbed += [_distractor(y, x, side, of_others) for y, x in others]
        lost = np.max(absorbed, axis=0, initial=0) if absorbed else np.zeros((side, side))
        kept = 1 - contrast * np.array(_ABSORBED)[:, None, None] * lost
        images[number] = np.rint(tile * kept.clip(0, 1)).astype(np.uint8)
    return Tiles(images=images, regions=regions)


class _Draws:
    """Numbers of one address, one after the other."""

    def __init__(self, key: Key) -> None:
        blocks = (uniforms(64, key / block) for block in count())
        self._numbers = chain.from_iterable(block.tolist() for block in blocks)

    def between(self, low: float, high: float) -> float:
        return float(low + (high - low) * next(self._numbers))

    def below(self, n: int) -> int:
        return int(n * next(self._numbers))


def _cut(
    photo: Arrays, sector: Sector, side: int, draws: _Draws
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A tile ``[3, s, s]``, turned or mirrored, and where it has no vessel, ``[s, s]``."""
    n_rows, n_columns = (end - first - side + 1 for first, end in (sector.rows, sector.columns))
    top = left = -1
    while not sector.holds(top, left, side):
        top = sector.rows[0] + draws.below(n_rows)
        left = sector.columns[0] + draws.below(n_columns)
    rows, columns = slice(top, top + side), slice(left, left + side)
    turn = draws.below(8)
    tile, is_open = (
        _symmetric(photo[name][..., rows, columns], turn) for name in ("retina", "open")
    )
    return tile, is_open


def _symmetric(array: NDArray[Any], turn: int) -> NDArray[Any]:
    """One of the eight ways in which a square lies on itself, ``[..., s, s]``."""
    turned = np.rot90(array, turn % 4, axes=(-2, -1))
    return turned[..., ::-1] if turn >= 4 else turned


def _places(
    is_open: NDArray[np.bool_], n: int, taken: Sequence[tuple[float, float]], draws: _Draws
) -> list[tuple[float, float]]:
    """Rows and columns of middles, apart from all others, and where no vessel is.

    Where there is no room in as many tries, vessels and others are put up with.

    Args:
        taken: Middles of what is there already.
    """
    side, found = len(is_open), list[tuple[float, float]]()
    for tried in count(1):
        if len(found) == n:
            break
        y, x = (draws.between(_BORDER, side - 1 - _BORDER) for _ in "yx")
        near = any((y - v) ** 2 + (x - u) ** 2 < _APART**2 for v, u in (*taken, *found))
        if (is_open[round(y), round(x)] and not near) or tried % _TRIES == 0:
            found.append((y, x))
    return found


def _lesion(profiles: Floats, y: float, x: float, side: int, draws: _Draws) -> Floats:
    """What a lesion with its middle at a place of a tile absorbs, ``[s, s]``.

    Args:
        profiles: Those of the real ones, ``[2, K, K]``.
    """
    profile = _symmetric(profiles[draws.below(2)], draws.below(8))
    scale, pixels = draws.between(*_SCALES), np.arange(side, dtype=np.float64)
    return _between(profile, (pixels - y) / scale + _REACH, (pixels - x) / scale + _REACH)


def _between(array: Floats, rows: Floats, columns: Floats) -> Floats:
    """Bilinear values at rows and columns; 0 outside."""
    padded = np.pad(array, 1)
    weights = []
    for at, n in ((rows, array.shape[0]), (columns, array.shape[1])):
        near = (at + 1).clip(0, n + 1)
        weights.append(np.maximum(0, 1 - np.abs(near[:, None] - np.arange(n + 2))))
    value: Floats = weights[0] @ padded @ weights[1].T
    return value


def _distractor(y: float, x: float, side: int, draws: _Draws) -> Floats:
    """What a dark streak, or a soft spot larger than lesions are, absorbs, ``[s, s]``."""
    down, right = (np.arange(side) - at for at in (y, x))
    is_streak, depth = draws.below(2) == 0, draws.between(0.38, 0.62)
    angle, size = draws.between(0, np.pi), draws.between(*_SCALES)
    if not is_streak:
        of_rows, of_columns = (np.exp(-np.square(at / (5 * size)) / 2) for at in (down, right))
        spot: Floats = depth / 2 * np.outer(of_rows, of_columns)
        return spot
    cosine, sine = np.cos(angle), np.sin(angle)
    along = np.add.outer(sine * down, cosine * right) / (8 * size)
    across = np.add.outer(cosine * down, -sine * right) / (1.5 * size)
    streak: Floats = depth * np.exp(-np.square(across) / 2 - np.square(np.square(along)))
    return streak


def _profiles(photo: Floats) -> Floats:
    """Shares of light that the two microaneurysms absorb, ``[2, K, K]``."""
    distance = np.hypot(_PIXELS[:, None], _PIXELS[None, :])
    fading = np.clip((_REACH - distance) / (_REACH - _CORE), 0, 1)
    found = []
    for y, x in _CENTRES:
        patch = photo[y - _REACH : y + _REACH + 1, x - _REACH : x + _REACH + 1]
        around = np.median(patch[(distance >= _CORE) & (distance <= _REACH)])
        found.append(fading * np.clip(1 - patch / around, 0, 1))
    return np.stack(found)


def _mean_around(green: Floats) -> Floats:
    """Of each pixel ``[H, W]`` the mean of the square around it."""
    n = 2 * _AROUND + 1
    sums = np.pad(green, ((_AROUND + 1, _AROUND), (_AROUND + 1, _AROUND)), mode="edge")
    sums = sums.cumsum(axis=0).cumsum(axis=1)
    mean: Floats = (sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]) / n**2
    return mean


def _opened(content: bytes, mode: str) -> NDArray[np.uint8]:
    with pillow().open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert(mode))
