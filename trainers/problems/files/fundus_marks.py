"""What experts have marked on a photo of DiaretDB1, and where they agree (Kauppi et al. 2007).

A marking is a circle, an ellipse or a polygon, a kind of lesion, and how sure the expert is. They
agree on a pixel as far as the mean of how sure they are says: 0 of one who has not marked it.

Shapes: H and W of the photo, P corners of a polygon.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from trainers.components import components
from trainers.problems.files.fundus_lists import broken

KINDS: Final = {
    "Haemorrhages": "haemorrhage",
    "Hard_exudates": "hard exudate",
    "Soft_exudates": "soft exudate",
    "Red_small_dots": "red small dot",
}
SURE: Final = {"High": 1.0, "Medium": 0.75, "Low": 0.25}
"""The middles of what its authors call them: certain, above one half, below one half."""
_REGIONS: Final = ("circleregion", "ellipseregion", "polygonregion")
_ROUNDING: Final = 1e-9

Masks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """One marking of an expert, in pixels of the photo.

    Attributes:
        kind: Of lesion, one of `KINDS`.
        sure: How sure the expert is, above 0 and at most 1.
        centre: Column and row of a circle's or an ellipse's middle.
        radii: Its half axes; none of a polygon.
        angle: Of the first axis in degrees, against the clock.
        corners: Columns and rows of a polygon's corners, ``[P, 2]``; none of the others.
    """

    kind: str
    sure: float
    centre: tuple[float, float] = (0.0, 0.0)
    radii: tuple[float, ...] = ()
    angle: float = 0.0
    corners: tuple[tuple[float, float], ...] = ()

    def fill(self, sure: NDArray[np.float64]) -> None:
        """Raise how sure an expert is, ``[H, W]``, where this marking is."""
        points = np.array(self.corners or [self.centre])
        reach = max(self.radii, default=0.0)
        low = np.floor(points.min(axis=0) - reach).clip(0).astype(int)
        high = np.ceil(points.max(axis=0) + reach).astype(int) + 1
        window = sure[low[1] : max(high[1], 0), low[0] : max(high[0], 0)]
        rows, columns = (np.arange(n, dtype=np.float64) for n in window.shape)
        x, y = np.meshgrid(columns + low[0], rows + low[1])
        inside = _in_polygon(x, y, points) if self.corners else self._in_ellipse(x, y)
        window[inside] = np.maximum(window[inside], self.sure)

    def _in_ellipse(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Masks:
        right, down = x - self.centre[0], y - self.centre[1]
        cosine, sine = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        first, second = (max(radius, 0.5) for radius in self.radii)
        along, across = right * cosine - down * sine, right * sine + down * cosine
        inside: Masks = (along / first) ** 2 + (across / second) ** 2 <= 1
        return inside


def agreed(
    experts: Sequence[Sequence[Marking]], size: tuple[int, int], agreement: float
) -> Iterator[tuple[str, Masks]]:
    """Kind and mask ``[H, W]`` of each lesion on which experts agree, touching pixels together.

    Args:
        experts: What each has marked.
        size: Height and width of the photo.
        agreement: Least mean of how sure they are, above 0 and at most 1.
    """
    marked = {marking.kind for markings in experts for marking in markings}
    for kind in (kind for kind in KINDS.values() if kind in marked):
        total = np.zeros(size)
        for markings in experts:
            of_one = np.zeros(size)
            for marking in markings:
                if marking.kind == kind:
                    marking.fill(of_one)
            total += of_one
        together = total >= agreement * len(experts) - _ROUNDING
        for pixels in components(together[None]):
            mask = np.zeros(size, dtype=bool)
            mask.reshape(-1)[pixels] = True
            yield kind, mask


def markings_of(path: Path, ignored: Sequence[str], size: tuple[int, int]) -> Sequence[Marking]:
    """What one expert has marked.

    Args:
        ignored: Types of markings that are left out.
        size: Height and width of the photo.

    Raises:
        ListBroken: The file is missing, torn, or holds what it must not.
    """
    if not path.is_file():
        broken(path, "an expert's file of markings", "a folder" if path.exists() else "nothing")
    return _markings(path, tuple(ignored), size, path.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _markings(
    path: Path, ignored: tuple[str, ...], size: tuple[int, int], _changed_ns: int
) -> Sequence[Marking]:
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError, UnicodeDecodeError, LookupError) as error:
        # a LookupError tells of an encoding that Python does not know
        broken(path, "markings as XML", str(error))
    listed = root.find("markinglist")
    if listed is None:
        broken(path, "a list of markings, <markinglist>", f"<{root.tag}> without it")
    found = []
    for number, element in enumerate(listed.findall("marking"), start=1):
        where = f"marking {number}"
        named = _one_of(path, where, element, "markingtype", (*KINDS, *ignored))
        if named in ignored:
            continue
        sure = SURE[_one_of(path, where, element, "confidencelevel", SURE)]
        found.append(_marking(path, where, element, KINDS[named], sure))
        _check_inside(path, where, found[-1], size)
    return found


def _marking(
    path: Path, where: str, element: ElementTree.Element, kind: str, sure: float
) -> Marking:
    shapes = [shape for name in _REGIONS if (shape := element.find(name)) is not None]
    if len(shapes) != 1:
        broken(path, f"one of {', '.join(_REGIONS)} in {where}", f"{len(shapes)}")
    shape = shapes[0]
    if shape.tag == "polygonregion":
        corners = tuple(_pair(path, where, point) for point in shape.findall("coords2d"))
        if len(corners) < 3:
            broken(path, f"three coordinates or more of the polygon of {where}", f"{len(corners)}")
        return Marking(kind=kind, sure=sure, corners=corners)
    centre = _pair(path, where, shape.find("centroid/coords2d"))
    radii = [_number(path, where, "radius", radius.text) for radius in shape.findall("radius")]
    if len(radii) != (1 if shape.tag == "circleregion" else 2) or min(radii) <= 0:
        broken(
            path,
            f"radii above 0 of the {shape.tag} of {where}, one of a circle, two of an ellipse",
            ", ".join(f"{radius:g}" for radius in radii) or "none",
        )
    angle = shape.find("angle")
    return Marking(
        kind=kind,
        sure=sure,
        centre=centre,
        radii=(radii[0], radii[-1]),
        angle=0.0 if angle is None else _number(path, where, "angle", angle.text),
    )


def _one_of(
    path: Path,
    where: str,
    element: ElementTree.Element,
    tag: str,
    known: Mapping[str, object] | Sequence[str],
) -> str:
    text = (element.findtext(tag) or "").strip()
    if text not in known:
        broken(
            path,
            f"{', '.join(known)} as <{tag}> of {where}",
            repr(text[:60]),
            "Correct it; a marking that is no lesion is left out by `ignored`."
            if tag == "markingtype"
            else "Correct it.",
        )
    return text


def _pair(path: Path, where: str, element: ElementTree.Element | None) -> tuple[float, float]:
    text = "" if element is None else (element.text or "").strip()
    if text.count(",") != 1:
        broken(path, f"coordinates as in 713,532 of {where}", repr(text[:40]) if text else "none")
    x, y = (_number(path, where, "coordinate", part) for part in text.split(","))
    return x, y


def _number(path: Path, where: str, what: str, text: str | None) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        broken(path, f"a number as {what} of {where}", repr((text or "")[:40]))
    return number


def _check_inside(path: Path, where: str, marking: Marking, size: tuple[int, int]) -> None:
    height, width = size
    for x, y in marking.corners or (marking.centre,):
        if not (0 <= x <= width and 0 <= y <= height):
            broken(
                path,
                f"coordinates in the photo, {width}x{height}, of {where}",
                f"{x:g},{y:g}",
                "Take the photos of the set in their own size, not shrunk.",
            )


def _in_polygon(
    x: NDArray[np.float64], y: NDArray[np.float64], corners: NDArray[np.float64]
) -> Masks:
    """Whether points ``[H, W]`` lie in a polygon: a ray to the right crosses it an odd time."""
    inside = np.zeros(x.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside
