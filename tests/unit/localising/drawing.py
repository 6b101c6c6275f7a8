"""Small pictures written as text: regions, lesions and what is to be found in them."""

import numpy as np
from numpy.typing import NDArray

from trainers.localising.proposals import ProposedRegion
from trainers.problems.regions import Region


def mask(*rows: str) -> NDArray[np.bool_]:
    """A mask of rows such as ``.##.``."""
    return np.array([[letter == "#" for letter in row] for row in rows])


def proposal(*rows: str, score: float = 0.5) -> ProposedRegion:
    y, x = np.nonzero(mask(*rows))
    return ProposedRegion(
        pixels=np.flatnonzero(mask(*rows)), y=float(y.mean()), x=float(x.mean()), score=score
    )


def lesion(*rows: str, kind: str = "red dot") -> Region:
    y, x = np.nonzero(mask(*rows))
    return Region(kind=kind, y=float(y.mean()), x=float(x.mean()), mask=mask(*rows))
