"""From files of compounds to tensors: which molecules count, their split, what the network sees.

Shapes: M molecules that count, N molecules of a split, F inputs, T targets.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.problems._draws import RowNumbers, permutation
from trainers.problems._source import TensorSource
from trainers.randomness import Key

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

# Of organic molecules; others are left out, of which values are wrong now and then.
ELEMENTS: Final = ("C", "H", "N", "O", "F", "Cl", "Br", "I", "S", "Si")
TARGETS: Final = ("Tc", "Pc", "Vc", "omega", "Tb", "Hfg", "S0g")
# Of a SMILES: multiple bonds, branches and rings, charges and stereo centres, groups of atoms.
_COUNTED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        *("=", "#", r"\(", r"\)\(", "=CC=", r"\d", r"\+", "@", r"[/\\]", "C=C", "=O", "C#N"),
        *(r"C\(=O\)O", r"C\(=O\)N", r"\(C\)", r"C\(C\)\(C\)", "CO", "CO(?=C)", "CN", "CCC"),
    )
)
N_INPUTS: Final = len(ELEMENTS) + 1 + len(_COUNTED) + 1
_HEAVY: Final = 50.0  # what masses are counted in
_OFTEN: Final = 4.0  # what counts of carbon, hydrogen and chains are counted in


def molecules(contents: Sequence[bytes]) -> Arrays:
    """``inputs [M, F]`` and ``targets [M, T]`` as float64.

    Molecules count whose seven targets are all known, and that have carbon and no other elements
    than those of organic chemistry.

    Args:
        contents: Tables of critical values, of boiling points, of heats and entropies of
            formation, and two lists of what compounds are made of.
    """
    tables = [_table(content) for content in contents[:3]]
    made_of = _identities(
        contents[3:], wanted=tables[0].keys() & tables[1].keys() & tables[2].keys()
    )
    inputs, targets = [], []
    for number in tables[0]:
        if number not in made_of:
            continue
        values = {name: text for table in tables for name, text in table[number].items()}
        formula, mass, smiles = made_of[number]
        atoms = atoms_of(formula)
        if all(values[name] for name in TARGETS) and atoms["C"] and atoms.keys() <= {*ELEMENTS}:
            inputs.append(described(atoms, mass, smiles))
            targets.append([float(values[name]) for name in TARGETS])
    return {"inputs": np.array(inputs), "targets": np.array(targets)}


def atoms_of(formula: str) -> Counter[str]:
    """``C2H6O`` as counts of its elements."""
    found: Counter[str] = Counter()
    for element, count in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
        found[element] += int(count or 1)
    return found


def described(atoms: Mapping[str, int], mass: float, smiles: str) -> list[float]:
    """Numbers ``[F]`` that say what a molecule is made of, of size 1 or so."""
    counts = [float(atoms.get(element, 0)) for element in ELEMENTS]
    counts[:2] = [count / _OFTEN for count in counts[:2]]
    patterns = [float(len(pattern.findall(smiles))) for pattern in _COUNTED]
    longest = max((len(run) for run in re.findall("C+", smiles)), default=0)
    return [*counts, mass / _HEAVY, *patterns, longest / _OFTEN]


def split_molecules(
    inputs: NDArray[np.float64], sizes: Mapping[str, int], split_seed: int
) -> dict[str, RowNumbers]:
    """Row numbers by split, ``[N]``.

    Molecules that the network cannot tell apart, as their inputs ``[M, F]`` are equal, are in one
    split.
    """
    kinds = np.unique(inputs, axis=0, return_inverse=True)[1].ravel()
    order = permutation(kinds.max() + 1, Key(f"split-{split_seed}") / "molecules")
    members = np.split(kinds.argsort(kind="stable"), np.bincount(kinds).cumsum()[:-1])
    room = {split: sizes[split] for split in ("validation", "test")}
    found: dict[str, list[RowNumbers]] = {split: [] for split in sizes}
    for kind in order:
        rows = members[kind]
        split = next((split for split, left in room.items() if len(rows) <= left), "train")
        found[split].append(rows)
        if split in room:
            room[split] -= len(rows)
    return {split: np.sort(np.concatenate(rows)) for split, rows in found.items()}


def molecule_sources(
    arrays: Arrays, *, sizes: Mapping[str, int], split_seed: int, device: torch.device
) -> dict[str, TensorSource]:
    """Split, and move to the device: inputs ``[N, F]`` and targets ``[N]`` in their units."""
    found = {}
    for split, rows in split_molecules(arrays["inputs"], sizes, split_seed).items():
        inputs, targets = (
            torch.from_numpy(arrays[name][rows]).to(device, torch.float32)
            for name in ("inputs", "targets")
        )
        columns = {name: targets[:, at].contiguous() for at, name in enumerate(TARGETS)}
        found[split] = TensorSource(inputs=inputs, targets=columns)
    return found


def _table(content: bytes) -> dict[str, dict[str, str]]:
    """Rows of a table with a heading, by CAS number."""
    rows = csv.DictReader(io.StringIO(content.decode()), delimiter="\t")
    return {row["CAS"]: row for row in rows}


def _identities(contents: Sequence[bytes], wanted: set[str]) -> dict[str, tuple[str, float, str]]:
    """Formula, mass and SMILES by CAS number."""
    found = {}
    for content in contents:
        for line in content.splitlines():
            _, number, formula, mass, smiles, *_ = line.split(b"\t", 5)
            if number.decode() in wanted:
                found[number.decode()] = formula.decode(), float(mass), smiles.decode()
    return found
