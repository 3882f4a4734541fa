"""A backup of a PostgreSQL database with PostgreSQL's own programs."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL, text
from sqlalchemy.exc import SQLAlchemyError

from appliance.database import Database
from appliance.operations import trial
from appliance.operations.errors import BackupFailed

TIMEOUT = 3600
"""Seconds for one program."""

_NEEDS = (
    "Install PostgreSQL's client programs (on Debian: apt install postgresql-client), of the server's version or newer."
)


def save_and_try(url: URL, target: Path) -> tuple[Path, int, dict[str, int], str]:
    """Dump the database at `url` into `target` and restore it for trial into a new database of the same server.

    Returns path, size in bytes, rows of each table, and why the trial could not be made ("" if it was: a role may
    lack the right to create databases). Raises `BackupFailed` and `RestoreRefused`.
    """
    database = Database(url.render_as_string(hide_password=False))
    try:
        # One exported snapshot: the rows counted are the rows dumped, whatever is written meanwhile.
        with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            tables = connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
            ).scalars()
            rows = {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for name in tables}
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={target}")
        return target, target.stat().st_size, rows, _try(database, url, target, rows)
    except SQLAlchemyError as error:
        raise BackupFailed(
            f"The database could not be read: {error}.", "See that the PostgreSQL server runs."
        ) from error
    finally:
        database.close()


def _try(database: Database, url: URL, dump: Path, rows: dict[str, int]) -> str:
    name = f"bookwake_trial_{secrets.token_hex(4)}"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        may_create = connection.execute(
            text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        ).scalar_one()
        if not may_create:
            return "the database role may not create a database to restore into (ALTER ROLE … CREATEDB allows it)"
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        try:
            scratch = url.set(database=name)
            _run("pg_restore", scratch, "--exit-on-error", "--no-owner", f"--dbname={name}", str(dump))
            restored = Database(scratch.render_as_string(hide_password=False))
            try:
                trial.compare(rows, trial.count_rows(restored))
            finally:
                restored.close()
        finally:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
    return ""


def _run(program: str, url: URL, *arguments: str) -> None:
    """Run a PostgreSQL program. The address goes by the environment, so that the password is in no process list."""
    executable = shutil.which(program)
    if executable is None:
        raise BackupFailed(f"The program {program} is missing, so the PostgreSQL database cannot be saved.", _NEEDS)
    given = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    environment = {**os.environ, **{key: str(value) for key, value in given.items() if value is not None}}
    try:
        done = subprocess.run(
            [executable, "--no-password", *arguments],
            env=environment,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BackupFailed(
            f"{program} did not finish within {TIMEOUT // 60} minutes.", "Try again when the machine is idle."
        ) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise BackupFailed(f"{program} failed: {said[0]}.", _NEEDS)
