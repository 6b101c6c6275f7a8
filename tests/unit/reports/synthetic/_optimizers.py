"""A study whose searches try several optimisers."""

from collections.abc import Mapping, Sequence

from tests.unit.reports.synthetic._papers import spec
from tests.unit.reports.synthetic._reader import FakeReader
from tests.unit.reports.synthetic._runs import Runs
from tests.unit.reports.synthetic._searches import Searches

Levels = Mapping[str, Mapping[str, Sequence[float | None]]]


def of_optimizers(levels: Levels, seeds: tuple[int, ...] = (1, 2, 3)) -> FakeReader:
    """A study with a search a weighting.

    Args:
        levels: Weighting to optimiser to the noise-free delta_m in percent at each learning rate;
            None for one at which the last seed diverges.
    """
    searches = Searches(Runs(seeds=seeds, epochs=6))
    searches.baseline()
    made = FakeReader(spec=spec(seeds, 6))
    made.spec["search"] = []
    for weighting, optimizers in levels.items():
        position = 0
        for optimizer, by_rate in optimizers.items():
            for place, level in enumerate(by_rate):
                searches.rate(weighting, optimizer, 1e-3 * 2**place, level, position)
                position += 1
        rates = [1e-3 * 2**place for place in range(max(map(len, optimizers.values())))]
        stage = {"optimizer": [*optimizers], "lr": rates}
        made.spec["search"].append({"name": weighting, "weighting": weighting, "stages": [stage]})
    made.rows |= searches.runs.rows
    return made
