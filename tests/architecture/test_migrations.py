"""Migrations and models say the same, in one line of revisions that can be walked back."""

from __future__ import annotations

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from cloud.main import alembic_config
from tests.kit.database import TestDatabase


class TestMigrations:
    def test_have_one_head(self, database: TestDatabase) -> None:
        script = ScriptDirectory.from_config(alembic_config(database.owner_url))

        assert len(script.get_heads()) == 1

    def test_agree_with_the_models(self, own_database: TestDatabase) -> None:
        command.check(alembic_config(own_database.owner_url))

        assert revision_of(own_database)

    def test_a_column_that_only_the_database_has_is_seen(self, own_database: TestDatabase) -> None:
        with psycopg.connect(own_database.owner_url) as connection:
            connection.execute("ALTER TABLE organization_unit ADD COLUMN forgotten text")

        with pytest.raises(CommandError, match="forgotten"):
            command.check(alembic_config(own_database.owner_url))

    def test_can_take_the_last_revision_back(self, own_database: TestDatabase) -> None:
        config = alembic_config(own_database.owner_url)
        head = revision_of(own_database)

        command.downgrade(config, "-1")
        before = revision_of(own_database)
        command.upgrade(config, "head")
        command.check(config)

        assert before != head
        assert revision_of(own_database) == head


def revision_of(database: TestDatabase) -> str:
    with psycopg.connect(database.owner_url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return str(row[0])
