"""Promises of `Storage` about looking back: attempts with their texts, causes, code and files."""

from __future__ import annotations

from storage import RunState
from storage.records import Claim, Ending, Spent
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, end, epoch


def worker(bench: Bench, *, files: str = "/files", **modules: str) -> None:
    """Take the place of the bench's worker, with code and files of its own."""
    bench.worker_id = bench.storage.register_worker(
        study_id=bench.study.id,
        holder_id=bench.holder_id,
        pid=7,
        environment={"host": "node7", **{f"module:{name}": h for name, h in modules.items()}},
        startup_s=0.0,
        files=files,
    )


def claim(bench: Bench, code: str | None = None) -> Claim:
    (found,) = bench.storage.claim(
        bench.study.id,
        holder_id=bench.holder_id,
        worker_id=bench.worker_id,
        n=1,
        lease_s=60,
        code=code,
    ).claims
    return found


def fail(bench: Bench, one: Claim, failure: str, key: str) -> None:
    ending = Ending(
        run=one.run,
        token=one.token,
        state=RunState.FAILED,
        epoch=0,
        spent=Spent(),
        reason=f"{failure}: of run {one.run}",
        failure=failure,
        failure_key=key,
        detail=f"Traceback of run {one.run}",
    )
    bench.storage.record([ending])


class LogPromises(Backend):
    def test_a_run_has_all_its_attempts_with_their_texts(self, bench: Bench) -> None:
        bench.plan("a")
        worker(bench)
        first = claim(bench, "cafe")
        bench.storage.take_back_run(first.run, first.token, "WorkerLost", "signal SIGKILL")
        fail(bench, claim(bench, "cafe"), "ValueError", "k")
        lost, failed = bench.storage.attempts_of(bench.study.id, first.run)
        assert (lost.state, lost.failure, lost.failure_text) == (
            *("lost", "WorkerLost"),
            "signal SIGKILL",
        )
        assert (failed.failure, failed.failure_text, failed.detail) == (
            *("ValueError", f"ValueError: of run {first.run}"),
            f"Traceback of run {first.run}",
        )
        assert (lost.reason, failed.reason) == ("", failed.failure_text)
        assert {(one.host, one.files, one.key) for one in (lost, failed)} == {
            ("node7", "/files", first.key)
        }

    def test_another_studys_run_has_none_here(self, bench: Bench) -> None:
        bench.plan("a")
        one = claim(bench)
        other = bench.save("other")
        assert bench.storage.attempts_of(other.id, one.run) == []
        assert bench.storage.attempts_of(bench.study.id, one.run + 1) == []

    def test_causes_are_counted_and_the_latest_comes_first(self, bench: Bench) -> None:
        bench.plan("a", "b", "c", "d")
        for failure, key in (("ValueError", "v"), ("ValueError", "v"), ("ValueError", "w")):
            fail(bench, claim(bench), failure, key)
        done = claim(bench)
        bench.storage.record([epoch(done, 1, 0.1, 0.1), end(done, after=1)])
        found = bench.storage.causes(bench.study.id, limit=5)
        assert [(cause.attempts, cause.runs) for cause in found] == [(1, 1), (2, 2)]
        assert found[1].last.params == "b"
        assert len(bench.storage.causes(bench.study.id, limit=1)) == 1

    def test_versions_of_code_are_those_that_runs_have_epochs_by(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        for code, modules, epochs in (("v1", {"mine": "1"}, 1), ("v2", {"mine": "2"}, 0)):
            worker(bench, **modules)
            one = claim(bench, code)
            bench.storage.record([epoch(one, n + 1, 0.1, 0.1) for n in range(epochs)])
        worker(bench, mine="3", helper="1")
        one = claim(bench, "v3")
        bench.storage.record([epoch(one, 1, 0.1, 0.1)])
        found = bench.storage.trained_with(bench.study.id)
        assert [(version.fingerprint, version.runs) for version in found] == [("v3", 1), ("v1", 1)]
        assert [dict(version.modules) for version in found] == [
            {"mine": "3", "helper": "1"},
            {"mine": "1"},
        ]

    def test_a_claim_without_code_is_no_version(self, bench: Bench) -> None:
        bench.plan("a")
        one = claim(bench)
        bench.storage.record([epoch(one, 1, 0.1, 0.1)])
        assert bench.storage.trained_with(bench.study.id) == []

    def test_folders_are_all_that_workers_have_had(self, bench: Bench) -> None:
        for files in ("/b", "/a", "/b", ""):
            worker(bench, files=files)
        assert bench.storage.file_folders(bench.study.id) == ["/a", "/b"]

    def test_a_birth_is_given_once_for_each_that_was_read(self, bench: Bench) -> None:
        before = bench.study
        given = bench.storage.give_birth(before)
        assert given.birth != before.birth
        assert given.key_name == before.key_name
        assert bench.storage.give_birth(before) == given, "somebody else was faster"
        assert bench.storage.study("demo") == given


class TestLogInMemory(LogPromises, OnMemory):
    pass


class TestLogOnFile(LogPromises, OnFile):
    def test_the_file_is_the_place_of_its_database(self, bench: Bench) -> None:
        file = bench.storage.file
        assert file is not None
        assert bench.storage.whereabouts()["place"] == str(file.resolve())


class TestLogOnPostgres(LogPromises, OnPostgres):
    def test_the_server_and_the_number_of_the_database_are_its_place(self, bench: Bench) -> None:
        here = bench.storage.whereabouts()
        assert here["place"].startswith("postgresql ")
        assert here["number"].isdigit()
