"""What crosses a worker's pipe by the thousand arrives as it was sent."""

from __future__ import annotations

import copy
import pickle
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from trainers.events import EpochDone, Seconds

NUMBERS = st.floats(allow_nan=False)
TEXTS = st.text(max_size=9)
SECONDS = st.builds(Seconds, **dict.fromkeys((f.name for f in fields(Seconds)), NUMBERS))
EPOCHS = st.builds(
    EpochDone,
    run=st.integers(),
    values=st.lists(st.tuples(TEXTS, TEXTS, TEXTS, NUMBERS), max_size=3).map(tuple),
    seconds=SECONDS,
    energy_j=st.none() | NUMBERS,
    more=st.booleans(),
)


@given(EPOCHS)
def test_a_report_arrives_with_all_its_fields(done: EpochDone) -> None:
    for arrived in (pickle.loads(pickle.dumps(done)), copy.deepcopy(done)):
        assert type(arrived) is EpochDone
        assert [getattr(arrived, f.name) for f in fields(EpochDone)] == [
            getattr(done, f.name) for f in fields(EpochDone)
        ]


@given(EPOCHS)
def test_it_is_sent_without_the_names_of_its_fields(done: EpochDone) -> None:
    assert b"grad_evals" not in pickle.dumps(done)
    assert b"diagnostics_s" not in pickle.dumps(done)
