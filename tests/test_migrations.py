"""The migrations lead to exactly the tables that the models describe, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

import appliance.models  # noqa: F401
from appliance.database import Database
from appliance.migrations import Downgrade
from tests.databases import KINDS, empty_database


@pytest.fixture(params=KINDS)
def database(request, tmp_path):
    with empty_database(request.param, tmp_path, tables=False) as url:
        database = Database(url)
        yield database
        database.close()


def test_the_newest_migration_makes_what_the_models_say(database):
    database.migrate()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_changes_nothing(database):
    database.migrate()
    database.migrate()


def test_a_database_of_a_newer_version_is_left_alone(database):
    database.migrate()
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Downgrade, match="newer version"):
        database.migrate()
