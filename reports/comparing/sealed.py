"""What is said of a sealed study: where its searches stand on validation."""

import numpy as np

from reports._eligible import eligible
from reports._ranking import number, objective_of
from reports._titles import title_of
from reports.frames import StudyFrames


def sealed_sentence(frames: StudyFrames) -> str:
    """Say that test values are not shown, and what the best trials reach on validation."""
    objective, found = objective_of(frames), list[tuple[float, str]]()
    for search in frames.searches:
        trials = eligible(frames, search)
        keys = trials.keys.mean(axis=1)
        best = trials.best(keys)
        if best is not None:
            found.append((float(keys[best]), title_of(frames, search)))
    said = "Sealed: no test value is shown before `weighbridge unseal`."
    if not found:
        return f"{said} No method has a value on validation yet."
    named = (
        f"{title} {number(objective, objective.sign * key)}"
        for key, title in sorted(found)
        if np.isfinite(key)
    )
    return (
        f"{said} The best trials on validation, which is optimistic for what is chosen by it: "
        f"{', '.join(named)}."
    )
