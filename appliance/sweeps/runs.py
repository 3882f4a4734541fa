"""The last run of each sweep: what is remembered, and what of it is worth a write.

An idle appliance writes nothing, so a run is stored only when it says something new, or when a day has passed since
one was stored. The server knows better meanwhile; the command line, another process, sees what is stored.
"""

import logging
import threading
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from appliance.epub.errors import BookError
from appliance.house import House
from appliance.models import SweepRun
from appliance.operations.errors import OperationError
from appliance.sweeps.sweep import Run, Stopping, Sweep

log = logging.getLogger(__name__)

STALE = timedelta(days=1)


class Runs:
    """Runs sweeps, one at a time, and remembers the last run of each. Safe to share between threads."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._turn = threading.Lock()
        self._last: dict[str, Run] = {}
        self.running: str | None = None

    def run(self, sweep: Sweep, stopping: Stopping = lambda: False) -> Run:
        """Run a sweep now, or as soon as the one that runs has ended. Never raises."""
        with self._turn:
            self.running = sweep.name
            started = self._house.now()
            try:
                ok, result = True, sweep.run(self._house, stopping)
            except Exception as error:
                ok, result = False, _reason(error)
                log.exception("sweep %s failed", sweep.name)
            finally:
                self.running = None
            run = self._last[sweep.name] = Run(started, self._house.now(), ok, result)
        self._store(sweep.name, run)
        return run

    def last(self, name: str) -> Run | None:
        """The last run that is known of, `None` when there was none."""
        if run := self._last.get(name):
            return run
        with self._house.database.read() as session:
            row = session.get(SweepRun, name)
        if row is None or row.finished_at is None:
            return None
        return Run(row.started_at, row.finished_at, row.ok, row.result)

    def _store(self, name: str, run: Run) -> None:
        try:
            with self._house.database.read() as session:
                row = session.get(SweepRun, name)
            if row and (row.ok, row.result) == (run.ok, run.result) and run.started_at - row.started_at < STALE:
                return
            with self._house.database.write() as session:
                session.merge(
                    SweepRun(
                        name=name,
                        started_at=run.started_at,
                        finished_at=run.finished_at,
                        ok=run.ok,
                        result=run.result,
                    )
                )
        except SQLAlchemyError:
            log.exception("the run of sweep %s could not be stored", name)


def _reason(error: Exception) -> str:
    if isinstance(error, BookError | OperationError):
        return f"{error} {error.remedy}".strip()
    return f"Failed: {str(error) or type(error).__name__} (the log has the details)."
