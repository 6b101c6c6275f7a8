"""The claims of the field in the words of a study: each opens to what its finding rests on."""

from reports.claims import Claim, claims_of
from reports.frames import StudyFrames
from reports.html._tags import Markup, tag
from reports.importances import Estimators

_MEANT = "What this study says to claims of the field. Each finding goes by intervals alone."


def claims(frames: StudyFrames, estimators: Estimators | None) -> Markup | None:
    """A section; None of a sealed study, of which no test value is shown, and of a trainer's."""
    if frames.sealed or frames.of_trainer:
        return None
    found = claims_of(frames, estimators)
    return tag("section", tag("h2", "Claims", id="claims"), tag("p", _MEANT), *map(_claim, found))


def _claim(claim: Claim) -> Markup:
    head = tag("strong", f"{claim.name} {claim.finding}")
    return tag(
        "details",
        tag("summary", head, f": {claim.states}."),
        *(tag("p", sentence) for sentence in claim.sentences),
    )
