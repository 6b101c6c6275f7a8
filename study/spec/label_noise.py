"""Which labels of a study's tasks are wrong on purpose, as its TOML says it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, Tag

from study.spec._findings import shown_value
from study.spec._section import Different, Finite, Printable, Section, Seed, kind_by, told_by

_KIND = (
    "`symmetric` gives a label one of the other classes, `pair` the next class, `matrix` one by "
    "the row of the true class."
)


def _named_once(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError(f"must not repeat a task. Got {shown_value(values)}. Drop the second one.")
    return values


_Rate = Annotated[Finite, Field(ge=0, lt=1)]
_Rates = Annotated[
    Annotated[_Rate, Tag("<number>")]
    | Annotated[Different[_Rate], Field(min_length=1), Tag("<list>")],
    told_by(list, "<list>", "<number>"),
]
_Tasks = Annotated[
    Annotated[Printable, Tag("<name>")]
    | Annotated[list[Printable], Field(min_length=1), AfterValidator(_named_once), Tag("<list>")],
    told_by(list, "<list>", "<name>"),
]


class _NoiseSpec(Section):
    task: _Tasks = Field(description="The task with noisy labels, or a list of tasks.")
    seed: Seed = Field(
        0, description="Which labels are wrong; the same in every run, whatever its seed."
    )

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return [self.task] if isinstance(self.task, str) else self.task

    def of_tasks(self, known: Collection[str]) -> Self | None:
        """The noise of those tasks among `known`; None if there are none."""
        found = [task for task in self.tasks if task in known]
        return self.model_copy(update={"task": found}) if found else None


class RateNoiseSpec(_NoiseSpec):
    """Noise that makes a share of the labels wrong, in training and validation."""

    kind: Literal["symmetric", "pair"] = Field(description=_KIND)
    rate: _Rates = Field(
        description="Share of wrong labels, 0 or above and below 1; a list asks a study for each."
    )


class MatrixNoiseSpec(_NoiseSpec):
    """Noise that draws the label of each sample by a matrix, in training and validation."""

    kind: Literal["matrix"] = Field(description=_KIND)
    rows: list[list[Finite]] = Field(
        description="A row for each true class, with the probability of each class given."
    )


NoiseSpec = RateNoiseSpec | MatrixNoiseSpec
LabelNoise = Annotated[
    Annotated[RateNoiseSpec, Tag("<symmetric>")]
    | Annotated[RateNoiseSpec, Tag("<pair>")]
    | Annotated[MatrixNoiseSpec, Tag("<matrix>")],
    kind_by("kind", "symmetric", "pair", "matrix"),
]


def by_rate(noise: NoiseSpec | None) -> Iterator[tuple[float | None, NoiseSpec | None]]:
    """Each rate of a list with the noise of its study; None with noise that makes one study."""
    if isinstance(noise, RateNoiseSpec) and isinstance(noise.rate, list):
        for rate in noise.rate:
            yield rate, noise.model_copy(update={"rate": rate})
    else:
        yield None, noise


def makes_several(noise: NoiseSpec | None) -> bool:
    """Whether it asks several studies at once."""
    return any(rate is not None for rate, _ in by_rate(noise))


def noise_ref(noise: NoiseSpec | None, known: Sequence[str]) -> dict[str, Any]:
    """The noise of one study as a worker is told it; names that are not known stay.

    Args:
        known: Tasks of the problem.
    """
    clean = noise is None or (isinstance(noise, RateNoiseSpec) and not noise.rate)
    if noise is None or (clean and {*noise.tasks} <= {*known}):
        return {}
    return {"tasks": noise.tasks, **noise.model_dump(exclude={"task"})}
