"""Every verb is held against sealed studies, or shows no values of runs."""

from __future__ import annotations

from study.cli._main import _VERBS
from tests.integration.sealed_looks import LOOKS, OTHERS


def test_every_verb_is_tried_on_a_sealed_study_or_shows_no_values() -> None:
    assert {*LOOKS, *OTHERS} == {*_VERBS}
