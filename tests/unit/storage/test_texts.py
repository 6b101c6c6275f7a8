"""Text from outside is made storable, and stays what it was where it can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage.schema.texts import storable, storable_name

ANY = st.text(st.characters(categories=["L", "N", "P", "Cs", "Cc", "So"]))
FINE = st.text(st.characters(categories=["L", "N", "P", "So"]), max_size=50)


def _fits(text: str, most: int) -> bool:
    text.encode()
    return len(text) <= most and "\0" not in text


@given(ANY, st.integers(20, 60))
def test_any_text_becomes_storable(text: str, most: int) -> None:
    assert _fits(storable(text, most), most)
    assert _fits(storable_name(text, most), most)


@given(FINE)
def test_what_can_be_stored_is_left_as_it_is(text: str) -> None:
    assert storable(text, 50) == storable_name(text, 50) == text


@given(ANY)
def test_what_is_stored_is_stored_again_as_it_is(text: str) -> None:
    once = storable(text, 40)
    assert storable(once, 40) == once


@given(ANY, ANY)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert (storable_name(one, 20) == storable_name(other, 20)) is (one == other)


def test_what_cannot_be_held_is_written_out() -> None:
    assert storable("a\udcffb\0c", 99) == "a\\udcffb\\x00c"


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = f"Traceback {'x' * 1000} ValueError: no loss"
    cut = storable(text, 60)
    assert cut.startswith("Traceback xxx")
    assert " [...] " in cut
    assert cut.endswith("ValueError: no loss")


def test_long_names_differ_at_their_ends() -> None:
    assert storable_name("n" * 101, 100) == f"{'n' * 91}~{storable_name('n' * 101, 100)[-8:]}"
