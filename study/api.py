"""The study as Python code uses it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from storage.records import StudyRecord
from study import arguments
from study.catalogue import find, stored_code, stored_packs
from study.commands import default_storage
from study.deciding.progress import Progress
from study.drivers import RayOptions
from study.drivers.devices import check_here, check_on_ray, check_precision, checked_device
from study.errors import NotAnExtension
from study.notebook import notebook_html
from study.planning.budget import with_raises
from study.planning.extension import check_extension
from study.planning.keys import plan_key
from study.planning.packs import PackPlan, all_shapes, pack_plan
from study.planning.plan import Plan, make_plan, refuse_missing
from study.running.checkpoint_path import (
    check_folder_of_function,
    checkpoint_place,
    settle_files,
)
from study.running.code_check import check_code, code_note
from study.running.heralding import heralding
from study.running.opened_driver import open_driver
from study.running.orders import refuse_paused
from study.running.preflight import look_at_network
from study.running.runner import Outcome, Runner
from study.searches.samplers import refuse_unmade
from study.spec.study_spec import StudySpec, parse
from trainers.hardware.devices import is_gpu, known_gpus

if TYPE_CHECKING:
    from storage import Storage
    from trainers.trained_network import TrainedNetwork


class Study:
    """A spec with its plan; runs, resumes and extends itself in a study database.

    Args:
        spec: What is asked.
        storage: URL of the study database.
        folder: Where a user's own problem may lie.

    Raises:
        BadArgument: One is of another type; from here and from every method.
        BadSpec: The spec does not fit its problem.
    """

    def __init__(
        self,
        spec: StudySpec,
        *,
        storage: str | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        arguments.check_arguments(arguments.STUDY, locals())
        folder = None if folder is None else os.fspath(folder)
        self.storage_url = default_storage() if storage is None else storage
        self.plan: Plan = make_plan(spec, folder=folder)
        refuse_unmade(self.plan.searches)
        self._lowered: frozenset[str] = frozenset()

    @classmethod
    def open(cls, name: str | os.PathLike[str], *, storage: str | None = None) -> Study:
        """Find a study: the path of a TOML file, a stored study's name, or a preset's.

        Raises:
            UnknownStudyName: There is none of that name.
            BadSpec: It has errors.
        """
        arguments.check_arguments(arguments.OPEN, locals())
        url = default_storage() if storage is None else storage
        found = find(os.fspath(name), storage=url)
        return cls(found.spec, storage=url, folder=found.folder)

    def with_budget(self, limits: Mapping[str, float]) -> Study:
        """The same study with other limits in [budget]; the stored spec takes them over.

        They hold as they are, whatever commands have raised them to before.

        Raises:
            BadSpec: There is no such limit, or its value makes no sense.
        """
        arguments.check_arguments(arguments.BUDGET, locals())
        plain, secret = self.plan.spec.to_plain(), {"notify": self.plan.spec.notify}
        spec = parse({**plain, "budget": {**plain["budget"], **limits}}, source="with --budget")
        spec = spec.model_copy(update=secret)
        study = Study(spec, storage=self.storage_url, folder=self.plan.problem.folder)
        study._lowered = self._lowered | frozenset(limits)
        return study

    @property
    def name(self) -> str:
        """The study's name in its database."""
        return self.plan.spec.name

    def _repr_html_(self) -> str:
        """What a notebook shows: the plan, and what to call next."""
        return notebook_html(self.plan, storage=self.storage_url)

    def packs(self, *, device: str = "cpu", look: bool = False) -> PackPlan:
        """Which runs will be trained together, and why the others are not.

        Args:
            look: Look at the network itself, which imports torch in another process, instead of
                going by the problem's card; one batch of every split goes through all of it.

        Raises:
            BadSpec: No device can have that name.
            WorkersUnusable: The problem cannot be opened, or stacks are asked for in vain.
        """
        arguments.check_arguments(arguments.PACKS, locals())
        checked_device(device)
        stored, calibrations = stored_packs(self.storage_url, self.name, all_shapes(self.plan))
        found = look_at_network(self.plan, device=device) if look else None
        return pack_plan(
            self.plan,
            device=device,
            stored=stored,
            facts=found.network if found else None,
            findings=found.findings if found else (),
            calibrations=calibrations,
        )

    def check(
        self,
        *,
        workers: int = 2,
        device: str = "cpu",
        ray: RayOptions | None = None,
        checkpoints: str | os.PathLike[str] | None = None,
    ) -> str | None:
        """Refuse what `run` would refuse of its arguments, by the spec and this machine.

        Returns:
            `checkpoints`, in the form in which it is kept.

        Raises:
            BadSpec: Checkpoints cannot go where they are to go, or workers not train there.
        """
        arguments.check_arguments(arguments.CHECK, locals())
        checked_device(device)
        spec, own = self.plan.spec, self.plan.spec.trains_itself
        processes = self.plan.training.data_parallel
        if not own:
            check_precision(spec.training.precision, device)
        if ray is not None:
            check_on_ray(ray, device, processes=processes, own_function=own)
        elif is_gpu(device):
            check_here(device, workers=workers, processes=processes, n_gpus=known_gpus())
        place = None if checkpoints is None else checkpoint_place(os.fspath(checkpoints))
        if own and place is not None:
            check_folder_of_function(place)
        return place

    def run(
        self,
        *,
        workers: int = 2,
        device: str = "cpu",
        ray: RayOptions | None = None,
        checkpoints: str | os.PathLike[str] | None = None,
        redecide: bool = False,
        report: Callable[[Progress], None] = lambda _progress: None,
        say: Callable[[str], None] = lambda _message: None,
        on_start: Callable[[Runner], None] = lambda _runner: None,
    ) -> Outcome:
        """Run the study, or go on with it; finished runs are never trained again.

        Args:
            workers: Worker processes.
            device: Device of all workers, such as ``cpu`` or ``cuda:0``; ``cuda`` is all GPUs in
                turn, and on a cluster what Ray has given to a worker.
            ray: Place the workers on a Ray cluster; None for processes of this machine.
            checkpoints: Folder for checkpoints, a path or a URL that fsspec opens: one that every
                machine reaches. Default: beside the database file.
            redecide: Take all stage decisions again, by what is known now.
            report: Called about once a second with where the study stands.
            say: Told what a user should know at once: the database is out of reach, or back; a
                checkpoint was skipped; an epoch trained again came out otherwise.
            on_start: Gets the runner, whose `interrupt` ends the run early.

        Raises:
            BadSpec: As `check`, or the problem's data is missing.
            NotAnExtension: A stored study of that name asks for something else.
            CodeChanged: The code is not the one that has trained so far, and the spec is strict.
            DatabaseUnusable: The database cannot be used.
            WorkersUnusable: The problem cannot be opened.
            ClusterLost: The Ray cluster has gone under way.
            BaselineMissing: The single-task runs failed.
            StudyPaused: A command has paused it.
        """
        from storage import Storage  # SQLAlchemy loads with it; planning does without

        arguments.check_arguments(arguments.RUN, locals())
        place = self.check(workers=workers, device=device, ray=ray, checkpoints=checkpoints)
        refuse_missing(self.plan)
        storage = Storage(self.storage_url, on_trouble=say)
        try:
            if note := self._check_code(storage):
                say(note)
            stored = self._save(storage)
            refuse_paused(stored, storage.url)
            self.plan = with_raises(self.plan, stored, say=say)
            folder, record = settle_files(place, storage, stored)
            if redecide:
                storage.reopen_decisions(record.id)
            runner = Runner(
                self.plan,
                storage,
                record,
                open_driver(self.plan, workers, device, ray),
                checkpoints=folder,
                device=device,
                report=report,
                say=say,
            )
            on_start(runner)
            with heralding(self.plan.spec.notify, self.storage_url, record, say) as herald:
                outcome = runner.run()
                herald.finished = outcome.finished
            return outcome
        finally:
            storage.close()

    def network(
        self,
        search: str | None = None,
        *,
        seed: int | None = None,
        retrain: bool = False,
        device: str = "cpu",
        say: Callable[[str], None] = lambda _message: None,
    ) -> TrainedNetwork:
        """The network of a search's best trial, as it was after its run's selected epoch.

        Args:
            search: Its name, such as ``uw`` or ``stl/left``; None: of those over weightings, the
                one whose best trial is the best.
            seed: Of the run; None for the best one on validation.
            retrain: Train the run once more, up to that epoch, if its network is not there. What
                it reports is compared with what is recorded, and costs nothing in the study. It
                is kept there if searches cannot begin without it.
            device: Where it is trained then; of the kind that has trained it first.
            say: Told which searches that are.

        Raises:
            BadSpec: There is no such device here.
            DatabaseUnusable: The database cannot be used.
            NetworkMissing: There is none, or it was not kept, or is gone; with the way out.
            WorkersUnusable: The run cannot be trained again here.
        """
        from storage import Reader  # SQLAlchemy loads with it
        from study.running.trained import Retraining, refuse_function, trained_network

        arguments.check_arguments(arguments.NETWORK, locals())
        refuse_function(self.plan)
        self.check(workers=1, device=device)
        again = Retraining(driver=lambda: open_driver(self.plan, 1, device, None), device=device)
        reader = Reader(self.storage_url)
        try:
            found = trained_network(
                self.plan,
                reader,
                self.name,
                search=search,
                seed=seed,
                again=again if retrain else None,
            )
        finally:
            reader.close()
        if retrain and any(one.init_from == found.search for one in self.plan.searches):
            self._keep(found, say)
        return found

    def not_begun(self) -> Mapping[str, str]:
        """Searches that wait for the network that they begin from: why, and what to do.

        Raises:
            DatabaseUnusable: The database cannot be used.
            UnknownStudy: It holds no such study.
        """
        from storage import Reader  # SQLAlchemy loads with it
        from study.running.initial_networks import not_begun

        reader = Reader(self.storage_url)
        try:
            return not_begun(self.plan, reader, reader.study(self.name))
        finally:
            reader.close()

    def code_note(self) -> str:
        """What is to be said of stored runs that other code has trained; empty if nothing is."""
        return code_note(self.plan, stored_code(self.storage_url, self.name))

    def _keep(self, network: TrainedNetwork, say: Callable[[str], None]) -> None:
        """Keep a network that was trained again, where searches wait for it."""
        from storage import Storage  # SQLAlchemy loads with it
        from study.running.initial_networks import keep_awaited

        storage = Storage(self.storage_url, create=False)
        try:
            if waiting := keep_awaited(network, self.plan, storage):
                say(f"It is kept for search {', '.join(waiting)}, to begin from.")
        finally:
            storage.close()

    def _check_code(self, storage: Storage) -> str:
        """Refuse changed code if the study is strict; returns what else is to be said of it."""
        stored = storage.find_study(self.name)
        return "" if stored is None else check_code(self.plan, storage.trained_with(stored.id))

    def _save(self, storage: Storage) -> StudyRecord:
        spec, card = self.plan.spec, self.plan.stored_card
        try:
            return storage.save_study(
                name=self.name,
                spec=spec.to_plain(),
                card=card,
                fingerprint=self.plan.frozen,
                plan=plan_key(spec, self.plan.frozen),
                searches=[(s.name, s.role, s.weighting) for s in self.plan.searches],
                sealed=spec.compare.sealed,
                lowered=self._lowered,
                check=lambda stored: check_extension(stored, spec, card),
            )
        except NotAnExtension:
            storage.note_refused(storage.study(self.name).id, spec.to_plain())
            raise
