"""What may be tried: a parameter is an axis, a space is several of them. Plain values only.

A space is written the way it stands in a study's file, and knows its size before it is built:

>>> from search_spaces import canonical, from_ray, space_from_plain
>>> space = space_from_plain(
...     {"lr": [0.001, 0.01], "task_weights": {"simplex_step": 0.1}}, n_tasks=3
... )
>>> space.size
72
>>> next(space.grid())
{'lr': 0.001, 'task_weights': (0.1, 0.1, 0.8)}

Random points have addresses: number 1 is the same whether two or two hundred are asked for.

>>> wide = space_from_plain({"temperature": {"log_range": [1, 100]}}, n_tasks=3)
>>> wide.random(2, key="study-1")[1] == wide.random(200, key="study-1")[1]
True
>>> wide.grid()
Traceback (most recent call last):
    ...
search_spaces.errors.ContinuousAxis: Parameter `temperature`: The range from 1.0 to 100.0 is \
continuous, it has no grid. Give `points = n` or use a random or TPE strategy.

A line is refined around its best value, and equal points have equal keys:

>>> from search_spaces.lines import refinements
>>> refinements([1, 5, 20], 20, outward=1)
(10.0, 80.0)
>>> canonical({"temperature": 10, "lr": 0.01})
'{"lr":0.01,"temperature":10.0}'

Whole numbers stay whole, in lists and tables too; only the key of a point does not tell them apart:

>>> from search_spaces.written import as_written
>>> as_written({"hidden": [8, 16], "lr": 0.01})
'{"hidden":[8,16],"lr":0.01}'

A parameter that is there for some values of another costs no points where it is not:

>>> space = space_from_plain(
...     {
...         "optimizer": ["adam", "sgd"],
...         "momentum": {"line": [0.8, 0.9], "when": {"optimizer": "sgd"}},
...     },
...     n_tasks=1,
... )
>>> [point.get("momentum") for point in space.grid()]
[None, 0.8, 0.9]

Spaces of Ray Tune and Optuna are read by their attributes, neither is imported:

>>> from_ray({"momentum": {"grid_search": [0.0, 0.9]}}).to_plain()
{'momentum': [0.0, 0.9]}

The errors are in `search_spaces.errors`; `SpaceError` catches them all.
"""

from search_spaces._axis import Axis
from search_spaces._canonical import canonical
from search_spaces._choices import Choices
from search_spaces._foreign import from_optuna, from_ray
from search_spaces._plain import axis_from_plain, space_from_plain
from search_spaces._ranges import LogRange, Range
from search_spaces._simplex_grid import SimplexGrid
from search_spaces._simplex_random import SimplexRandom
from search_spaces._space import Space
from search_spaces._values import Point, Value
from search_spaces.errors import SpaceError

__all__ = [
    "Axis",
    "Choices",
    "LogRange",
    "Point",
    "Range",
    "SimplexGrid",
    "SimplexRandom",
    "Space",
    "SpaceError",
    "Value",
    "axis_from_plain",
    "canonical",
    "from_optuna",
    "from_ray",
    "space_from_plain",
]
