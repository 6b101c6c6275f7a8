"""Stacks lie where the last one lay, and never where another one still is."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.engines.fused.long_lived import Places, Stored
from trainers.engines.fused.rows import RowLayout, Rows
from trainers.optimizers import Kept

CPU = torch.device("cpu")
TASKS = ("left", "right")


class Stack:
    """Somebody who has tensors."""


def made(width: int = 3, n_rows: int = 2) -> Stored:
    rows = Rows(RowLayout({"w": (width,)}), n_rows=n_rows, kept=(Kept(name="exp_avg"),), device=CPU)
    return rows, {"mean": torch.zeros(n_rows)}


def test_a_stack_lies_where_the_one_before_it_lay() -> None:
    places, first = Places(), Stack()
    rows, carried = places.take(first, TASKS, (3, 2), made)
    rows.kept["exp_avg"].fill_(7.0)
    rows.grads.fill_(7.0)
    del first
    again, carried_again = places.take(Stack(), TASKS, (3, 2), made)
    assert again is rows
    assert carried_again is carried
    assert again.kept["exp_avg"].count_nonzero() == again.grads.count_nonzero() == 0


def test_two_at_once_have_nothing_in_common() -> None:
    places, first, second = Places(), Stack(), Stack()
    one, _ = places.take(first, TASKS, (3, 2), made)
    other, _ = places.take(second, TASKS, (3, 2), made)
    assert one.values.data_ptr() != other.values.data_ptr()


def test_other_networks_lie_elsewhere() -> None:
    places, first = Places(), Stack()
    one, _ = places.take(first, TASKS, (3, 2), made)
    other, _ = places.take(Stack(), ("left",), (3, 2), made)
    del first
    assert places.take(Stack(), TASKS, (3, 2), made)[0] is one
    assert one is not other


@given(st.sampled_from([(3, 2), (4, 2), (3, 5)]), st.sampled_from([(3, 2), (4, 2), (3, 5)]))
def test_only_tensors_of_the_same_form_are_used_again(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    places = Places()
    one, _ = places.take(Stack(), TASKS, before, lambda: made(*before))
    two, _ = places.take(Stack(), TASKS, after, lambda: made(*after))
    assert (one is two) == (before == after)
