"""From a name to a trainer: built in, from an installed plugin, or of a class of the user's own.

A trainer is a training function with a card, see `trainers.trainer_card`. A plugin is an installed
package with an entry point ``name = "package.module:Class"`` in the group ``weighbridge.trainers``.
Built-in names win over plugins.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from trainers.cards import ProblemCard
from trainers.errors import BadCard, UnknownTrainer
from trainers.failures import told
from trainers.jobs import Training
from trainers.plugins import offered_by_name
from trainers.problems.errors import ModuleBroken
from trainers.problems.user_module import named, refused
from trainers.protocol import Problem
from trainers.suggestions import did_you_mean, shown
from trainers.trainer_card import TrainerCard

if TYPE_CHECKING:
    from trainers.functions._report import Report

Said = TypeVar("Said")
GROUP: Final = "weighbridge.trainers"
TRAINERS: Final[Mapping[str, str]] = {
    "cam": "trainers.localising:Cam",
    "uncertainty-relabel": "trainers.relabelling:UncertaintyRelabel",
}
"""Built-in trainers: name to ``package.module:Class``."""

_METHODS = ("refusal", "train")
LONGEST_TARGET: Final = 64
"""Characters: what a study database holds of a method's name."""


class Trainer(Protocol):
    """A whole way of training, in the place of weighting losses.

    The protocol is structural: a class needs a constructor without arguments and these, not a base
    class. Importing its module and reading its card should load no torch, as `plan` does both.

    A method is optional: ``n_epochs(params)``, how many a run takes in all of its rounds, so that
    `plan` refuses one that has more than `epochs` in [training].
    """

    @property
    def card(self) -> TrainerCard:
        """What it is."""

    def refusal(self, problem: ProblemCard, params: Mapping[str, Any]) -> str:
        """Why it cannot train a problem, or not with these parameters; empty if it can.

        Args:
            params: All parameters, defaults filled in.

        Returns:
            The rule, what was found, and the way out.
        """

    def train(
        self,
        problem: Problem,
        params: Mapping[str, Any],
        seed: int,
        folder: Path,
        report: Report,
        *,
        training: Training,
        device: str,
    ) -> None:
        """Train one run to its end.

        Args:
            problem: Opened once a worker: its `sources` are loaded by the first call, and shared by
                all runs, so that nobody may change them.
            params: All parameters, defaults filled in.
            folder: Of this run alone, and the same in its next attempt: a checkpoint is saved in it
                *before* each report, by which the next attempt resumes.
            report: To be called after each epoch; what it raises is let through.
            training: [training] of the study; `epochs` are the most of all rounds together.
            device: Where it trains, such as ``cpu``.
        """


def trainer_names() -> tuple[str, ...]:
    """All registered names, sorted; nothing is imported."""
    return tuple(sorted({*TRAINERS, *offered_by_name(GROUP)}))


def trainer_of(target: str, folder: str | None = None) -> Trainer:
    """The trainer behind a registered name or ``package.module:Class``.

    Args:
        folder: Where to look for a user's module after the normal import path.

    Raises:
        UnknownTrainer: No such name; or what has it is no class with a card and the methods of a
            trainer.
        ProblemError: Its module is missing, or raised while it was imported.
    """
    if len(target) > LONGEST_TARGET:
        raise UnknownTrainer(
            f"`trainer` must have at most {LONGEST_TARGET} characters. Got {len(target):,}. Give "
            "the module or the class a shorter name."
        )
    known = TRAINERS.get(target, target)
    if (plugin := offered_by_name(GROUP).get(target)) is not None and target not in TRAINERS:
        found = _loaded(plugin)
    else:
        found = named(known, folder, of=f"Trainer `{target}`")
    if found is None:
        names = trainer_names()
        raise UnknownTrainer(
            f"There is no trainer `{target}`.{did_you_mean(target, names)} Known: "
            f"{', '.join(names) or 'none'}. A class of your own is written `package.module:Class`."
        )
    return _checked(found, target)


def why_refused(
    trainer: Trainer, problem: ProblemCard, params: Mapping[str, Any], most_epochs: int
) -> str:
    """Why a trainer cannot train a problem with parameters, as itself and its epochs say; or empty.

    Args:
        params: All of them, defaults filled in.
        most_epochs: That a run may have in all of its rounds.

    Raises:
        UnknownTrainer: It raised, or gave something else than it is to give.
    """
    refusal = _said(trainer, "refusal", str, "a text", problem, params)
    if refusal or not hasattr(trainer, "n_epochs"):
        return refusal
    wanted = _said(trainer, "n_epochs", int, "a whole number", params)
    if wanted <= most_epochs:
        return ""
    return (
        "`epochs` in [training] are the most that all rounds of a run may take together. Got "
        f"{most_epochs}, and a run takes {wanted}. Set `epochs = {wanted}`, or lower what rounds "
        "take."
    )


def _said(trainer: Trainer, method: str, kind: type[Said], what: str, *asked: Any) -> Said:
    """What a method of a user's class says."""
    place = f"`{method}` of trainer `{trainer.card.name}` must return {what}"
    try:
        said: object = getattr(trainer, method)(*asked)
    except (Exception, SystemExit) as error:
        raise UnknownTrainer(f"{place}. It raised {told(error)}. Mend it.") from error
    if not isinstance(said, kind):
        raise UnknownTrainer(f"{place}. It returned {shown(said)}. Mend it.")
    return said


def _loaded(plugin: EntryPoint) -> object:
    package = plugin.dist.name if plugin.dist is not None else "unknown"
    with refused(
        lambda told: ModuleBroken(
            f"Trainer plugin `{plugin.name}` of package {package} must load. {plugin.value} "
            f"raised {told}. Repair or uninstall the package."
        )
    ):
        loaded: object = plugin.load()
    return loaded


def _checked(found: object, target: str) -> Trainer:
    """A trainer of a class, with a card that can be read."""
    lacks = [name for name in _METHODS if not callable(getattr(found, name, None))]
    if not inspect.isclass(found) or lacks:
        raise UnknownTrainer(
            f"A trainer is a class with a `card` and the methods {' and '.join(_METHODS)}. "
            f"`{target}` is {shown(found)}"
            + (f" and lacks {', '.join(lacks)}. Add them." if lacks else ". Name its class.")
        )
    try:
        made: Any = found()
        card: object = made.card
    except BadCard as error:
        raise UnknownTrainer(
            f"Trainer `{target}` has a card that breaks a rule. {error}"
        ) from error
    except (Exception, SystemExit) as error:  # code of a user may raise anything
        raise UnknownTrainer(
            f"A trainer must be made without arguments, and its card be readable. `{target}` "
            f"raised {told(error)}. Mend it."
        ) from error
    if not isinstance(card, TrainerCard):
        raise UnknownTrainer(
            f"The `card` of a trainer must be a trainers.trainer_card.TrainerCard. `{target}` has "
            f"{type(card).__name__}. Return one."
        )
    return cast("Trainer", made)
