from types import ModuleType

import pytest

import trainers.nets
import trainers.problems
import trainers.problems.dense
import trainers.problems.labels
from trainers.problems import errors

WINDOWS = [trainers.problems, trainers.problems.dense, trainers.problems.labels, trainers.nets]


@pytest.mark.parametrize("package", WINDOWS)
def test_everything_in_the_window_exists(package: ModuleType) -> None:
    assert all(getattr(package, name).__name__ == name for name in package.__all__)


def test_what_is_not_in_the_window_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'load'"):
        _ = trainers.problems.load


def test_every_error_is_in_the_drawn_tree() -> None:
    leaves = [
        c
        for c in vars(errors).values()
        if isinstance(c, type) and c.__mro__[1] is errors.ProblemError
    ]
    for leaf in leaves:
        built_in = leaf.__bases__[1].__name__
        assert f" {leaf.__name__}({built_in}) " in errors.__doc__
    assert len(leaves) == errors.__doc__.count("──")
