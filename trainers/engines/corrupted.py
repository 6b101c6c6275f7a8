"""What a follow-up's runs see instead of a session's data: corrupted images, and a frozen trunk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from trainers.engines.fused.long_lived import Places
from trainers.engines.session import Session
from trainers.jobs import Corruptions
from trainers.problems._embedded import cache_folder
from trainers.problems._wrapped import WrappedProblem
from trainers.problems.corruptions import condition
from trainers.problems.corruptions._source import CorruptedSource, always, drawn
from trainers.protocol import Source
from trainers.randomness import Key
from trainers.reading import Copied, ReadAhead, as_read

if TYPE_CHECKING:
    pass

_MOST_CACHED_BYTES: Final = 2**30


@dataclass(frozen=True, slots=True)
class FrozenTrunk(WrappedProblem):
    """A problem whose trunk learns nothing: it is as another run has left it."""

    trunk_frozen: ClassVar[bool] = True


def on_corrupted(session: Session, corruptions: Corruptions, seed: int) -> Session:
    """The session of runs that train heads on corrupted images.

    Training and validation images are corrupted at random, each in one way, test images are clean;
    after the last epoch the heads are judged on test images of each kind and severity, too.

    Args:
        seed: Of the runs: it draws the ways of training images.
    """
    key = corruptions, seed
    if key not in session.corrupted:
        session.corrupted[key] = _made(session, corruptions, seed)
    return session.corrupted[key]


def _made(session: Session, corruptions: Corruptions, seed: int) -> Session:
    clean = {split: _raw(source) for split, source in session.sources.items()}
    cache = _cache(clean["test"], len(corruptions.conditions))
    ways = {
        "train": drawn(corruptions, Key(str(seed)) / "corruption"),
        "validation": drawn(corruptions, Key("validation") / "corruption"),
    }
    sources: dict[str, Source] = {
        split: CorruptedSource(clean[split], way, held=True, cache=cache)
        for split, way in ways.items()
    }
    sources |= {
        condition(*way): CorruptedSource(clean["test"], always(*way), held=False, cache=cache)
        for way in corruptions.conditions
    }
    read = {split: as_read(source, session.device) for split, source in sources.items()}
    return replace(
        session,
        problem=FrozenTrunk(session.problem),
        sources={**read, "test": session.sources["test"]},
        judged_last=tuple(condition(*way) for way in corruptions.conditions),
        flops={},
        padding_rows={},
        compiled={},
        places=Places(),
        corrupted={},
        group=None,
    )


def _raw(source: Source) -> Source:
    """The source as the problem has it."""
    return source.source if isinstance(source, Copied | ReadAhead) else source


def _cache(test: Source, n_conditions: int) -> Path | None:
    """Where corrupted images are kept, if all of the test split's are not too many."""
    folder = cache_folder()
    batch = next(iter(test.batches(None, 1, Key("corruption"))))
    n_bytes = n_conditions * test.size * getattr(batch.inputs, "nbytes", 0) // 4
    return None if folder is None or n_bytes > _MOST_CACHED_BYTES else folder / "corrupted"
