"""The list of breaks that `make mutants` tries is one that can be tried."""

import pytest

from tools.mutants import ROOT, Mutant, listed, main


def test_each_has_a_name_of_its_own_and_there_are_enough() -> None:
    names = [mutant.name for mutant in listed()]
    assert len(set(names)) == len(names) >= 20


@pytest.mark.parametrize("mutant", listed(), ids=lambda mutant: mutant.name)
def test_each_breaks_one_place_and_names_its_tests(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text()
    assert mutant.applied(text) != text
    assert mutant.tests
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests)


def test_a_text_that_is_not_there_is_no_break() -> None:
    mutant = Mutant(name="gone", file="a.py", old="x", new="y", tests=())
    with pytest.raises(ValueError, match=r"'gone': 0 times in a\.py"):
        mutant.applied("")
    with pytest.raises(ValueError, match="2 times"):
        mutant.applied("x x")


def test_a_word_that_fits_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no such mutant"]) == 1
    assert "No mutant has one of these words" in capsys.readouterr().out
