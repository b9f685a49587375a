"""Seeding the demo company holds wholly or not at all."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from cloud.kernel.settings import Settings
from cloud.main import seed_company
from tests.kit.database import TestDatabase, endpoints_of


async def test_a_seed_that_is_cut_off_leaves_nothing(
    own_database: TestDatabase, tmp_path: Path
) -> None:
    nowhere = Settings(data_dir=tmp_path / "gone")

    with pytest.raises(FileNotFoundError):
        await seed_company(nowhere, endpoints_of(own_database))

    with psycopg.connect(own_database.owner_url) as owner:
        companies = owner.execute("SELECT count(*) FROM organization_company").fetchone()
    assert companies == (0,)
