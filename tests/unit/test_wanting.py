"""What is said of tests that were not run."""

import pytest

from tests.wanting import reason, skip_for_want_of, told


def test_what_was_lacking_is_said_in_one_line() -> None:
    skipped = [f"Skipped: {reason('PostgreSQL')}"] * 3 + [reason("Chromium")] + ["a whim"] * 2
    assert told(skipped) == (
        "not run: 3 tests for want of PostgreSQL, 2 for other reasons, 1 for want of Chromium"
    )


def test_one_is_no_plural_and_nothing_is_not_said() -> None:
    assert told([reason("g++")]) == "not run: 1 test for want of g++"
    assert told([]) == ""


def test_in_ci_what_lacks_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CI", "1")
    with pytest.raises(pytest.fail.Exception, match="lacks PostgreSQL"):
        skip_for_want_of("PostgreSQL")


def test_elsewhere_it_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEIGHBRIDGE_CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="for want of PostgreSQL"):
        skip_for_want_of("PostgreSQL")
