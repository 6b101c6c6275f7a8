"""What a study says to the claims of its field (MEASURES M13): a file a claim, in one short list.

A claim is `supported`, `not supported` or `undecided` by the interval of its effect alone, and `not
asked` where the study lacks what it needs.
"""

from reports.claims.asked import claims_of, claims_of_one, in_order
from reports.claims.claim import Claim, Effect, Finding
from reports.claims.size_matters import Sized, size_matters

__all__ = [
    "Claim",
    "Effect",
    "Finding",
    "Sized",
    "claims_of",
    "claims_of_one",
    "in_order",
    "size_matters",
]
