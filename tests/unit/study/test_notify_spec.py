"""[notify]: events and a URL, each refused with one message that has no secret in it."""

from __future__ import annotations

from typing import Any

import pytest

from study.errors import BadSpec
from study.spec.study_spec import StudySpec, parse

REST = {
    "name": "a",
    "problem": "digits",
    "seeds": [0],
    "training": {"epochs": 1, "batch_size": 9},
    "search": [{"weighting": "ew", "stages": [{"lr": [0.1]}]}],
}
URL = "https://hooks.example:8443/services/SECRET?token=SECRET"


def spec_with(notify: Any, **more: Any) -> StudySpec:
    return parse({**REST, **more, "notify": notify}, source="a.toml")


@pytest.mark.parametrize(
    ("notify", "message"),
    [
        ({"on": ["doen"], "url": URL}, "Did you mean `done`?"),
        ({"on": ["budget 0%"], "url": URL}, "1 to 100"),
        ({"on": ["budget 101%"], "url": URL}, "1 to 100"),
        ({"on": ["budget"], "url": URL}, "1 to 100"),
        ({"on": ["done", "done"], "url": URL}, "must not repeat"),
        ({"on": [], "url": URL}, "must not be empty"),
        ({"on": "done", "url": URL}, "must be a list"),
        ({"on": [1], "url": URL}, "must be text in quotes"),
        ({"url": URL}, "`on` is missing"),
        ({"on": ["done"], "uri": URL}, "Did you mean `url`?"),
        ({"on": ["done"], "url": "hooks.example/SECRET"}, "must begin with https:// or http://"),
        ({"on": ["done"], "url": "htps://hooks.example/SECRET"}, "Did you mean `https`?"),
        ({"on": ["done"], "url": "https://SECRET:SECRET@a/b"}, "a token in the path or the query"),
        ({"on": ["done"], "url": "https:///SECRET"}, "must name a host"),
        ({"on": ["done"], "url": "https://[::1/SECRET"}, "whose host makes no sense"),
        ({"on": ["done"], "url": "https://a:99999/SECRET"}, "whose host makes no sense"),
        ({"on": ["done"], "url": "https://a/SECRET b"}, "without blanks"),
        ({"on": ["done"], "url": "https://a/SECRET\u00e9"}, "ASCII"),
        ({"on": ["done"], "url": ["https://SECRET"]}, "must be text in quotes"),
        ({"on": ["done"], "url": "https://a/" + "SECRET" * 400}, "at most 2,000"),
        (URL, "must be a table"),
    ],
)
def test_what_is_refused(notify: Any, message: str) -> None:
    with pytest.raises(BadSpec) as caught:
        spec_with(notify)
    assert message in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_its_url_is_in_nothing_that_is_stored_or_shown() -> None:
    spec = spec_with({"on": ["done"], "url": URL})
    assert spec.notify is not None
    assert spec.notify.known_url == URL
    for shown in (repr(spec), str(spec.to_plain()), spec.model_dump_json()):
        assert "SECRET" not in shown
    again = parse(spec.to_plain(), source="stored")
    assert again.notify is not None
    assert (again.notify.url, again.notify.known_url) == ("https://hooks.example:8443/...", None)


def test_a_share_of_a_budget_needs_a_limit_that_counts_over_all_runs() -> None:
    notify = {"on": ["budget 80 %", "budget5%"], "url": URL}
    with pytest.raises(BadSpec, match=r"budget 5%.*no limit that counts over all runs"):
        spec_with(notify, budget={"wall_s": 60.0})
    found = spec_with(notify, budget={"epochs": 60}).notify
    assert found is not None
    assert (found.on, found.shares) == (["budget 80%", "budget 5%"], [5, 80])
