"""A study is found by what a user calls it: a file, a stored study or a preset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage import Storage, StorageError
from study.catalogue import find, preset_hidden, preset_text, presets, stored_name
from study.errors import BadSpec, UnknownStudyName
from tests.unit.study.specs import a_plan

TOML = """
name = "mine"
problem = "digits"
seeds = [0]
training = { epochs = 1, batch_size = 8 }
search = [{ weighting = "ew", stages = [{ lr = [0.1] }] }]
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'w.db'}"


def store(url: str, name: str, *, spec: object = None) -> None:
    plan = a_plan(name=name)
    storage = Storage(url)
    storage.save_study(
        name=name,
        spec=json.loads(json.dumps(spec or plan.spec.to_plain())),
        card=plan.card.to_plain(),
        fingerprint=plan.frozen,
        searches=[],
    )
    storage.close()


def test_a_file_is_found_with_its_folder(tmp_path: Path, url: str) -> None:
    (tmp_path / "mine.toml").write_text(TOML)
    found = find(str(tmp_path / "mine.toml"), storage=url)
    assert found.spec.name == "mine"
    assert found.folder == str(tmp_path)


def test_a_file_needs_no_suffix(tmp_path: Path, url: str) -> None:
    (tmp_path / "mine").write_text(TOML)
    assert find(str(tmp_path / "mine"), storage=url).spec.name == "mine"


def test_a_preset_is_found_without_a_database(url: str, tmp_path: Path) -> None:
    found = find("digits", storage=url)
    assert (found.spec.name, found.folder) == ("digits", None)
    assert list(tmp_path.iterdir()) == []


def test_a_stored_study_comes_before_a_preset(url: str) -> None:
    store(url, "digits")
    assert find("digits", storage=url).spec.seeds == [0, 1]
    assert find("digits", storage=url).folder == str(Path.cwd())


def test_a_stored_study_that_hides_a_preset_of_another_problem_is_told(url: str) -> None:
    store(url, "quickstart")
    said = preset_hidden("quickstart", find("quickstart", storage=url).spec)
    assert "is on the problem diamonds, not digits." in said
    assert "`weighbridge rename quickstart NEW_NAME`" in said


def test_one_that_trains_otherwise_is_told_too_and_one_that_extends_it_is_not(url: str) -> None:
    store(url, "digits")
    assert "trains otherwise" in preset_hidden("digits", find("digits", storage=url).spec)
    more = presets()["digits"].model_copy(update={"seeds": [0, 1, 2]})
    assert preset_hidden("digits", more) == ""
    assert preset_hidden("mine.toml", more) == ""


def test_an_unknown_name_lists_what_there_is(url: str) -> None:
    store(url, "mine")
    with pytest.raises(UnknownStudyName) as caught:
        find("mien", storage=url)
    assert str(caught.value) == (
        "There is no study 'mien'. Did you mean `mine`? It would be a TOML file, a stored study "
        f"(mine) or a preset ({', '.join(sorted(presets()))})."
    )


def test_an_unknown_name_says_that_nothing_is_stored_yet(url: str) -> None:
    with pytest.raises(UnknownStudyName, match=r"Did you mean `digits`\? .* \(none yet\)"):
        find("digit", storage=url)


def test_a_file_that_is_not_there_says_how_to_make_one(url: str) -> None:
    with pytest.raises(UnknownStudyName, match=r"no file no\.toml\. `weighbridge init no\.toml`"):
        find("no.toml", storage=url)


def test_a_folder_is_no_spec(tmp_path: Path, url: str) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(BadSpec, match="which is a folder"):
        find(str(tmp_path / "folder.toml"), storage=url)


def test_a_bad_url_is_said_before_anything_is_looked_up() -> None:
    with pytest.raises(StorageError, match=r"A storage URL looks like sqlite:///weighbridge\.db"):
        find("digits", storage="weighbridge.db")


def test_presets_carry_their_file_s_name() -> None:
    names = {name: spec.name for name, spec in presets().items()}
    assert names == {name: name for name in names}
    assert {"digits", "multimnist", "quickstart", "claims-mini-8"} <= {*names}
    assert preset_text("digits").startswith("#")


class TestNames:
    """A file where the word looks like one; else a stored study, a preset, a file of that name."""

    def test_a_stored_study_may_end_like_a_file(
        self, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store(url, "old.toml")
        assert find("old.toml", storage=url).spec.name == "old.toml"
        (tmp_path / "old.toml").write_text(preset_text("digits"))
        assert find("old.toml", storage=url).spec.name == "digits"

    def test_no_file_hides_a_stored_study_or_a_preset(
        self, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store(url, "mine")
        for name in ("mine", "digits"):
            (tmp_path / name).write_text("no spec")
            assert find(name, storage=url).spec.name == name
        with pytest.raises(BadSpec, match="not valid TOML"):
            find("./mine", storage=url)

    def test_a_stored_spec_that_nobody_reads_any_more_has_a_name(self, url: str) -> None:
        store(url, "fine", spec={"name": "fine", "from": "another version"})
        assert stored_name("fine", storage=url) == "fine"
        assert find("digits", storage=url).spec.name == "digits"
        with pytest.raises(BadSpec, match="of the stored study fine"):
            find("fine", storage=url)

    @pytest.mark.parametrize("name", ["a" * 5000, "\0", "a\0.toml", f"{'a' * 300}.toml", ""])
    def test_what_no_file_could_be_called_is_just_unknown(self, name: str, url: str) -> None:
        with pytest.raises(UnknownStudyName):
            find(name, storage=url)
