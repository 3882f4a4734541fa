"""Alembic's entry point; the engine comes from `appliance.migrations.upgrade`."""

from alembic import context
from sqlmodel import SQLModel

import appliance.models  # noqa: F401  registers the tables

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
