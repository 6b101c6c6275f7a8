"""How torch is set for the contracts of engines, and a database for those of storages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.storage_backends import StudySchema, study_schema_on_postgres


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def float64() -> Iterator[None]:
    import torch

    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def study_schema() -> Iterator[StudySchema]:
    """A PostgreSQL schema with our tables, see `OnPostgres`."""
    with study_schema_on_postgres() as schema:
        yield schema
