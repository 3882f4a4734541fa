"""Keep the text of every file that a device referred to or was sent, soon after it did."""

import logging
import time
from collections.abc import Iterator

from sqlmodel import Session, col, select

from appliance.epub.errors import BookError
from appliance.house import House
from appliance.library.renditions import path_of
from appliance.models import JournalEntry, KoboDelivery
from appliance.operations.errors import OperationError
from appliance.sweeps.schedule import After
from appliance.sweeps.sweep import Stopping, Sweep

log = logging.getLogger(__name__)

_SPARED = 24 * 3600.0
"""Seconds for which a copy stays that nothing refers to yet."""


class NotKept(OperationError):
    """Some texts could not be kept."""


class Keeping:
    """The first run of a process looks through everything that was ever reported, the others at what is new."""

    def __init__(self) -> None:
        self._upto = 0

    def run(self, house: House, stopping: Stopping) -> str:
        """Raises `NotKept`."""
        wanted = house.texts.wanted()
        with house.database.read() as session:
            is_first = not self._upto
            referred, upto = _referred(session, self._upto)
        kept, failed = 0, 0
        for sha256 in wanted | referred:
            if stopping():
                return "Stopped with the appliance; goes on at the next start."
            try:
                kept += _keep(house, sha256)
            except (BookError, OSError) as error:
                failed += 1
                log.warning("the text of %s cannot be kept: %s", sha256, error)
        if not failed:
            self._upto = upto  # else all is looked through again
        if is_first:
            house.texts.forget(referred.__contains__, time.time() - _SPARED)
        if failed:
            raise NotKept(
                f"The text of {failed:,} {'file' if failed == 1 else 'files'} could not be kept; the log says why.",
                "Until it is, places in them are lost when the files are replaced.",
            )
        if not kept:
            return "The text of every file that devices refer to is kept."
        return f"The text of {kept:,} more {'file' if kept == 1 else 'files'} that devices refer to is kept now."


def _referred(session: Session, after: int) -> tuple[set[str], int]:
    """Hashes that journal entries after that id and the ledger of Kobos speak of, and the last id."""
    entries = select(JournalEntry.id, JournalEntry.sha256, JournalEntry.reference_sha256).where(
        col(JournalEntry.id) > after
    )
    delivered = select(KoboDelivery.sha256).where(col(KoboDelivery.sha256).is_not(None)).distinct()

    def hashes() -> Iterator[str | None]:
        nonlocal after
        for identifier, sha256, reference in session.exec(entries.execution_options(yield_per=1000)):
            after = max(after, identifier or 0)
            yield sha256
            yield reference
        yield from session.exec(delivered)

    return {sha256 for sha256 in hashes() if sha256 is not None}, after


def _keep(house: House, sha256: str) -> bool:
    if house.texts.find(sha256) is not None:
        return False
    with house.database.read() as session:
        path = path_of(house, session, sha256)
    return path is not None and house.texts.keep(sha256, path)


SWEEP = Sweep(
    "texts",
    "Keeps the text of files that devices refer to, so that places in them outlive an edit of the files.",
    After("scan"),
    Keeping().run,
)
