"""Molecules: which count, how they are split, what the network sees of them."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
import torch

from trainers.problems._compounds import (
    ELEMENTS,
    atoms_of,
    described,
    molecules,
    split_molecules,
)
from trainers.problems._source import TensorSource
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.molecules import TARGETS, Molecules
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
CRITICAL = "CAS\tChemical\tTc\tPc\tVc\tomega"
BOILING = "CAS\tTb"
FORMATION = "CAS\tname\tHfg\tS0g"


@pytest.fixture(scope="module")
def sources() -> Iterator[dict[str, TensorSource]]:
    yield Molecules().sources(CPU)


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Molecules(width=8)


def test_same_options_give_the_same_bytes(sources: dict[str, TensorSource]) -> None:
    digest = sha256()
    for split, source in sources.items():
        digest.update(split.encode())
        digest.update(source.inputs.numpy().tobytes())
        for task in TARGETS:
            digest.update(source.targets[task].numpy().tobytes())
    assert digest.hexdigest()[:16] == "5db6ceadead0fb2b"


def parsed(*compounds: tuple[str, str, str]) -> dict[str, list[Any]]:
    """Arrays of files with these CAS numbers, formulas and SMILES; of `7-7-7` the Tb is missing."""
    of_all = [number for number, _, _ in compounds]
    lists = [
        [CRITICAL, *(f"{number}\tname\t500\t3e6\t5e-4\t0.4" for number in of_all)],
        [BOILING, *(f"{number}\t{'' if number == '7-7-7' else 400}" for number in of_all)],
        [FORMATION, *(f"{number}\tname\t-1e5\t300" for number in of_all)],
        [
            f"1\t{number}\t{formula}\t46.1\t{smiles}\tInChI\tkey\tname"
            for number, formula, smiles in compounds
        ],
    ]
    found = molecules(["\n".join(lines).encode() for lines in [*lists, []]])
    return {name: array.tolist() for name, array in found.items()}


@pytest.mark.parametrize(
    "compound", [("8-8-8", "NaCl", "[Na+].[Cl-]"), ("8-8-8", "H2O", "O"), ("7-7-7", "CH4", "C")]
)
def test_what_is_not_organic_or_not_complete_is_left_out(compound: tuple[str, str, str]) -> None:
    found = parsed(("1-1-1", "C2H6O", "CCO"), compound)
    assert found["targets"] == [[500.0, 3e6, 5e-4, 0.4, 400.0, -1e5, 300.0]]


def test_a_molecule_is_told_by_its_atoms_its_mass_and_its_groups() -> None:
    numbers = described(atoms_of("C2H4Cl2"), 98.95916, "C(CCl)Cl")
    atoms = dict(zip(ELEMENTS, numbers, strict=False))
    assert (atoms["C"], atoms["H"], atoms["Cl"]) == (0.5, 1.0, 2.0)
    assert numbers[len(ELEMENTS)] == pytest.approx(98.95916 / 50)
    assert numbers[-1] == 0.5  # two carbons in a row
    assert len(numbers) == 32


@pytest.mark.parametrize("smiles", ["C1CCCCC1", "CC#CC", "CC(=O)O", "C/C=C/C", "C[N+](=O)[O-]"])
def test_each_group_makes_a_difference(smiles: str) -> None:
    plain = described(atoms_of("CH4"), 16.0, "C")
    assert described(atoms_of("CH4"), 16.0, smiles) != plain


def test_molecules_that_look_alike_are_in_one_split() -> None:
    inputs = np.repeat(np.arange(40.0), 5)[:, None]
    sizes = {"train": 110, "validation": 45, "test": 45}
    rows = split_molecules(inputs, sizes, 0)
    assert {split: len(found) for split, found in rows.items()} == sizes
    kinds = [{*inputs[found, 0].tolist()} for found in rows.values()]
    assert sum(map(len, kinds)) == len(set.union(*kinds)) == 40


def test_splits_of_the_file_share_nothing(sources: dict[str, TensorSource]) -> None:
    seen = [{tuple(row) for row in source.inputs.tolist()} for source in sources.values()]
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_targets_are_in_their_units_ten_orders_apart(sources: dict[str, TensorSource]) -> None:
    sizes = [float(sources["train"].targets[task].abs().mean()) for task in ("Vc", "Pc")]
    assert 4e-4 < sizes[0] < 6e-4
    assert 2e6 < sizes[1] < 4e6


@pytest.mark.parametrize("task", TARGETS)
def test_heads_begin_in_the_range_of_their_targets(
    sources: dict[str, TensorSource], task: str
) -> None:
    target, scale = sources["train"].targets[task], TARGETS[task]
    assert abs(float(target.mean()) - scale.centre) < 0.1 * scale.spread
    assert float(target.std()) == pytest.approx(scale.spread, rel=0.1)
    torch.manual_seed(0)
    output = Molecules(width=16).head(task)(torch.randn(64, 16)).detach()
    assert output.shape == (64, 1)
    assert float((output - scale.centre).abs().mean()) < 2 * scale.spread


@pytest.mark.parametrize("task", TARGETS)
def test_inputs_tell_of_their_targets(sources: dict[str, TensorSource], task: str) -> None:
    """A linear fit on the training molecules is much nearer than their median."""
    (inputs, targets), (unseen, wanted) = (
        (torch.nn.functional.pad(of.inputs.double(), (0, 1), value=1.0), of.targets[task].double())
        for of in (sources["train"], sources["test"])
    )
    fitted = torch.linalg.lstsq(inputs, targets[:, None], driver="gelsd").solution
    error = (unseen @ fitted)[:, 0] - wanted
    assert error.abs().mean() < 0.6 * (wanted - wanted.median()).abs().mean()


def test_the_card_is_flagged_and_says_that_values_are_estimates() -> None:
    card = Molecules().card
    assert card.kind == "real"
    assert any("estimates" in caveat for caveat in card.caveats)
    assert [task.metrics[0].unit for task in card.tasks][:3] == ["K", "Pa", "m3/mol"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "`width` must be a whole number of at least 1. Got 0."),
        ({"split_seed": -1}, "`split_seed` must be a whole number of at least 0."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        Molecules(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `Vc`"):
        getattr(Molecules(), part)("vc")
