"""Weights by groups of tasks: few numbers to search where there are many tasks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._shown import shown
from search_spaces._simplex_grid import SimplexGrid
from search_spaces._simplex_random import SimplexRandom
from search_spaces._values import Value, is_row
from search_spaces.errors import BadAxis, UnknownValue, WrongType

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class SimplexGroups:
    """Weights of T tasks in G groups: those of the groups are searched, each is shared equally.

    Attributes:
        n_tasks: T.
        groups: Numbers of the tasks of each group, from 1 in the problem's order; every task is in
            one group.
        of_groups: Weights of the G groups, which sum to 1.

    Raises:
        BadAxis: A task is in no group or in several, or there is no such task.
        WrongType: The groups are no lists of whole numbers.
    """

    n_tasks: int
    groups: tuple[tuple[int, ...], ...]
    of_groups: SimplexGrid | SimplexRandom

    def __post_init__(self) -> None:
        named = sorted(task for group in self.groups for task in group)
        if named == [*range(1, self.n_tasks + 1)]:
            return
        strange = [task for task in named if not 1 <= task <= self.n_tasks]
        twice = sorted({task for task in named if named.count(task) > 1})
        left = [task for task in range(1, self.n_tasks + 1) if task not in named]
        found = [
            f"{shown(tasks)} {what}"
            for tasks, what in (
                (strange, "not there"),
                (twice, "more than once"),
                (left, "in no group"),
            )
            if tasks
        ]
        raise BadAxis(
            f"`groups` must have each of the tasks 1 to {self.n_tasks} once. Got "
            f"{'; '.join(found)}. Write the numbers of each group's tasks, from 1, as "
            "[[1, 2], [3]]."
        )

    @property
    def size(self) -> int:
        """Number of points: as many as the groups' weights have."""
        return self.of_groups.size

    @property
    def dimensions(self) -> int:
        """G - 1."""
        return self.of_groups.dimensions

    def points(self) -> Iterator[tuple[float, ...]]:
        """All weights ``[T]``, in the order of the groups'.

        Raises:
            EmptySpace: There are more groups than steps.
            TooManyPoints: There are more than 100,000 points.
        """
        return map(self.shared, self.of_groups.points())

    def from_unit(self, u: Sequence[float]) -> tuple[float, ...]:
        """The weights ``[T]`` at ``[G - 1]`` coordinates."""
        return self.shared(self.of_groups.from_unit(u))

    def to_unit(self, value: Value) -> tuple[float, ...]:
        """Coordinates ``[G - 1]`` that lead to these weights.

        Raises:
            UnknownValue: Tasks of a group differ, or the groups' weights are not held.
        """
        if is_row(value, length=self.n_tasks):
            of_groups = [[value[task - 1] for task in group] for group in self.groups]
            if all(max(weights) - min(weights) < _TOLERANCE for weights in of_groups):
                return self.of_groups.to_unit(tuple(map(math.fsum, of_groups)))
        raise UnknownValue(
            f"{shown(value)} does not give the tasks of a group one weight. Share each group's "
            "weight equally."
        )

    def to_plain(self) -> Plain:
        """The form of the groups' weights, with `groups`."""
        plain = self.of_groups.to_plain()
        assert isinstance(plain, dict)
        return plain | {"groups": [list(group) for group in self.groups]}

    def shared(self, of_groups: Sequence[float]) -> tuple[float, ...]:
        """Weights ``[T]`` of the tasks by those ``[G]`` of their groups."""
        weights = [0.0] * self.n_tasks
        for group, weight in zip(self.groups, of_groups, strict=True):
            for task in group:
                weights[task - 1] = weight / len(group)
        return tuple(weights)


def checked_groups(groups: object) -> tuple[tuple[int, ...], ...]:
    """Lists of task numbers, none empty.

    Raises:
        WrongType: They are something else.
    """
    rows = groups if isinstance(groups, list | tuple) else ()
    if not rows or not all(isinstance(row, list | tuple) and row for row in rows):
        raise WrongType(
            f"`groups` must be a list of lists of task numbers, none empty. Got {shown(groups)}. "
            "Write [[1, 2], [3]]."
        )
    for row in rows:
        for task in row:
            if not isinstance(task, int) or isinstance(task, bool):
                raise WrongType(
                    f"`groups` must hold whole numbers, tasks from 1 in the problem's order. Got "
                    f"{shown(task)}. Write [[1, 2], [3]]."
                )
    return tuple(tuple(row) for row in rows)
