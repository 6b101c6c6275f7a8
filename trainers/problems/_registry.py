"""From a name to a problem: built in, from an installed plugin, or of a class of the user's own.

A plugin is an installed package with an entry point ``name = "package.module:Class"`` in the
group ``weighbridge.problems``. Built-in names win over plugins.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import cast

from trainers.cards import ProblemCard
from trainers.errors import BadCard
from trainers.jobs import ProblemRef
from trainers.plugins import offered_by_name
from trainers.problems._fewer_labels import FewerLabels
from trainers.problems._noise import Noise
from trainers.problems._noisy_labels import NoisyLabels
from trainers.problems._some_tasks import SomeTasks
from trainers.problems.errors import (
    ConstructorFailed,
    ModuleBroken,
    NotAProblem,
    ProblemError,
    UnknownOption,
    UnknownProblem,
)
from trainers.problems.user_module import named, refused
from trainers.protocol import Problem
from trainers.suggestions import did_you_mean

METHODS = ("sources", "trunk", "head", "functions")
GROUP = "weighbridge.problems"
BUILT_IN = {
    "celeba": "trainers.problems.celeba:CelebA",
    "cifar-10": "trainers.problems.cifar_10:Cifar10",
    "cifar-100": "trainers.problems.cifar_100:Cifar100",
    "cityscapes": "trainers.problems.cityscapes:Cityscapes",
    "diamonds": "trainers.problems.diamonds:Diamonds",
    "diamonds-five": "trainers.problems.diamonds:DiamondsFive",
    "digits": "trainers.problems.digits:Digits",
    "fundus-files": "trainers.problems.fundus_files:FundusFiles",
    "fundus-lesions": "trainers.problems.fundus_lesions:FundusLesions",
    "molecules": "trainers.problems.molecules:Molecules",
    "motorcycle": "trainers.problems.motorcycle:Motorcycle",
    "multifashion-60k": "trainers.problems.multifashion_60k:MultiFashion60k",
    "multimnist": "trainers.problems.multimnist:MultiMnist",
    "multimnist-60k": "trainers.problems.multimnist_60k:MultiMnist60k",
    "noisy-digits": "trainers.problems.noisy_digits:NoisyDigits",
    "nyuv2": "trainers.problems.nyuv2:Nyuv2",
    "scaled-losses": "trainers.problems.scaled_losses:ScaledLosses",
    "table": "trainers.problems.table:Table",
    "two-valleys": "trainers.problems.two_valleys:TwoValleys",
    "yeast": "trainers.problems.yeast:Yeast",
}


def names() -> tuple[str, ...]:
    """All registered names, sorted; nothing is imported."""
    return tuple(sorted({*BUILT_IN, *offered_by_name(GROUP)}))


def summaries() -> dict[str, str]:
    """Name and one line of each registered problem; a broken plugin is warned of and left out."""
    lines = {}
    for name in names():
        try:
            lines[name] = card_of(ProblemRef(target=name)).title
        except ProblemError as error:
            if name in BUILT_IN:
                raise
            warnings.warn(f"Problem plugin `{name}` is left out. {error}", stacklevel=2)
    return lines


def build(ref: ProblemRef) -> Problem:
    """Construct the problem a study names.

    Raises:
        ProblemError: One of its leaves: the problem is unknown, its module or class is missing
            or broken, an option is unknown or refused.
    """
    found = _construct(problem_class(ref.target, ref.folder), ref.target, ref.options)
    found = SomeTasks(found, tuple(ref.tasks)) if ref.tasks else found
    found = NoisyLabels(found, Noise.of_plain(ref.label_noise)) if ref.label_noise else found
    return FewerLabels(found, ref.train_fraction) if ref.train_fraction else found


def card_of(ref: ProblemRef) -> ProblemCard:
    """The card of the problem a study names.

    Losses of built-in problems are known to leave missing labels out. Others are asked for where a
    task has fewer labels, so that no worker has to refuse them.

    Raises:
        ProblemError: As `build` does; or the loss of a task with fewer labels is one of its own,
            without `valid_elements`.
    """
    problem = build(ref)
    if isinstance(problem, FewerLabels) and ref.target not in BUILT_IN:
        with refused(
            lambda told: ConstructorFailed(
                f"Losses of problem `{ref.target}` must be there before its data is. `functions` "
                f"raised {told}. Mend it."
            )
        ):
            problem.refuse_odd_losses()
    with refused(
        lambda told: ConstructorFailed(
            f"The card of problem `{ref.target}` must be readable. It raised {told}. Mend it."
        )
    ):
        return problem.card


def problem_class(target: str, folder: str | None = None) -> type[Problem]:
    """The class behind a registered name or ``package.module:Class``.

    Args:
        folder: Where to look for a user's module after the normal import path.

    Raises:
        UnknownProblem: No such name, or not of the form ``package.module:Class``.
        ModuleMissing: The module was not found.
        ModuleBroken: The module, or the plugin, raised while it was imported.
        ClassMissing: The module has no such class.
        NotAProblem: It is no class, or methods are missing.
    """
    if target in BUILT_IN:
        module_name, _, class_name = BUILT_IN[target].partition(":")
        return _checked_class(getattr(import_module(module_name), class_name), target)
    if (plugin := offered_by_name(GROUP).get(target)) is not None:
        return _checked_class(_loaded(plugin), target)
    return _users_class(target, folder)


def _users_class(target: str, folder: str | None) -> type[Problem]:
    found = named(target, folder, of=f"Problem `{target}`")
    if found is None:
        raise UnknownProblem(
            f"Unknown problem `{target}`.{did_you_mean(target, names())} Known: "
            f"{', '.join(names())}. A class of your own is written `package.module:Class`."
        )
    return _checked_class(found, target)


def _loaded(plugin: EntryPoint) -> object:
    package = plugin.dist.name if plugin.dist is not None else "unknown"
    with refused(
        lambda told: ModuleBroken(
            f"Problem plugin `{plugin.name}` of package {package} must load. {plugin.value} "
            f"raised {told}. Repair or uninstall the package."
        )
    ):
        loaded: object = plugin.load()
    return loaded


def _checked_class(found: object, target: str) -> type[Problem]:
    """The class, if it has the methods of a problem.

    Raises:
        NotAProblem: It is no class, or methods are missing.
    """
    if not inspect.isclass(found):
        raise NotAProblem(
            f"Problem `{target}` must be a class. Got {type(found).__name__}. "
            "Name a class with the methods of a problem."
        )
    with refused(lambda told: NotAProblem(f"The class of problem `{target}` raised {told}.")):
        missing = [name for name in METHODS if not callable(getattr(found, name, None))]
    if missing:
        raise NotAProblem(
            f"A problem needs a `card` and the methods {', '.join(METHODS)}. `{target}` lacks "
            f"{', '.join(missing)}. Add what is missing."
        )
    return cast("type[Problem]", found)


def _construct(cls: type[Problem], target: str, options: Mapping[str, object]) -> Problem:
    """Call the constructor and read the card once.

    Raises:
        UnknownOption: The constructor has no such option.
        BadOption: The constructor refused a value.
        ConstructorFailed: The constructor, or reading the card, raised something else.
        NotAProblem: The card is missing, no `ProblemCard`, or breaks a rule of cards.
    """
    with refused_of(target):
        try:
            problem = made(cls, target, options)
            # Looked up statically first: an AttributeError inside a property is no missing card.
            has_card = inspect.getattr_static(problem, "card", None) is not None
            card: object = problem.card if has_card else None
        except BadCard as error:
            raise NotAProblem(
                f"Problem `{target}` has a card that breaks a rule. {error}"
            ) from error
    if not isinstance(card, ProblemCard):
        raise NotAProblem(
            f"The `card` of a problem must be a trainers.cards.ProblemCard. `{target}` has "
            f"{type(card).__name__}. Add it as an attribute or a property."
        )
    return problem


def refused_of(target: str) -> refused:
    """Surrounds code of a problem's class; what it raises becomes a refusal."""
    return refused(
        lambda told: ConstructorFailed(
            f"Problem `{target}` must be constructible from its options, and its card readable. "
            f"It raised {told}. Check [problem_options], or the class."
        )
    )


def made(cls: type[Problem], target: str, options: Mapping[str, object]) -> Problem:
    """Call the constructor.

    Raises:
        UnknownOption: It has no such option.
    """
    _check_names(cls, target, options)
    return cls(**options)


def _check_names(cls: type[Problem], target: str, options: Mapping[str, object]) -> None:
    parameters = inspect.signature(cls).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    allowed = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for name in options:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise UnknownOption(
                f"Unknown key `{name}` in [problem_options] of problem `{target}`."
                f"{did_you_mean(name, allowed)} Allowed: {known}."
            )
