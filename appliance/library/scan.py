"""Bring the library in step with the book folders. Nothing in them is ever written.

A file whose size and time of change are as they were is not opened. Others are hashed; bytes that are known are a file
that was moved, copied or came back; bytes that are new are examined in a worker process. What is gone is marked
missing: books, renditions and reading data stay. Work is committed in batches, so a scan that is cut short loses
nothing and the next one goes on.
"""

import fcntl
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session, select

from appliance.house import House
from appliance.library.digests import Digests, digests
from appliance.library.examination import EXAMINATION_VERSION, Examined, Refused
from appliance.library.folders import book_folders
from appliance.library.register import choose_main, register_book, register_file, register_refusal
from appliance.library.walk import Found, walk
from appliance.library.workers import Workers
from appliance.models import LibraryFile

BATCH = 8  # files in one transaction; readers who report their place wait meanwhile
EMPTIED = 10  # files: a folder that held as many and holds nothing now is taken for one that is not mounted
WORKERS = 2  # more would not fit beside the server in 1 GB

Progress = Callable[[int, int, str], None]
"""Told before each file that has to be read: how many are done, of how many, and its path."""

logger = logging.getLogger(__name__)


class ScanRunning(Exception):
    """Another scan, of this or another process, has not finished."""

    def __init__(self) -> None:
        super().__init__("The library is being scanned already. Wait until that is finished.")


@dataclass(slots=True)
class ScanResult:
    """How many files were new (`added`), held other bytes than before (`changed`), lay in another place (`moved`), had
    gone (`missing`), had come back (`returned`), could not be used (`refused`), or were as before (`unchanged`).
    `problems`: sentences about folders and files that could not be looked at."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    missing: int = 0
    returned: int = 0
    refused: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of `LibraryFile`, as far as it must be known to see what changed."""

    id: int
    size: int
    mtime_ns: int
    sha256: str | None
    examined: int
    is_missing: bool

    def holds(self, found: Found) -> bool:
        """Whether nothing speaks for a change since `found` was last read."""
        return not self.is_missing and (self.size, self.mtime_ns, self.examined) == (
            found.size,
            found.mtime_ns,
            EXAMINATION_VERSION,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What became of reading one file. `digests` is `None` when it could not be read, `outcome` when its bytes are
    known already."""

    found: Found
    digests: Digests | None
    outcome: Examined | Refused | None


def scan(house: House, progress: Progress | None = None) -> ScanResult:
    """Scan all book folders. Raises `ScanRunning` and `WorkerFailed`; for anything wrong with a file or folder there is
    a place in the result or in `LibraryFile.problem`."""
    with _only_one(house):
        return _scan(house, progress or (lambda done, total, path: None))


@contextmanager
def _only_one(house: House) -> Iterator[None]:
    house.settings.data.mkdir(parents=True, exist_ok=True)
    # A lock on an open file holds between processes and threads, and ends with the process whatever happens to it.
    with (house.settings.data / "scan.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ScanRunning from None
        yield


def _scan(house: House, progress: Progress) -> ScanResult:
    folders = book_folders(house.settings)
    walked = walk(folders)
    result = ScanResult(problems=walked.problems)
    with house.database.read() as session:
        known = dict(_known(session))
    unread = [*walked.unread, *_emptied(folders, walked.files, known, result)]
    here = {found.path for found in walked.files}
    beneath = tuple(folder.rstrip("/") + "/" for folder in unread)
    gone = {path: row for path, row in known.items() if path not in here and not path.startswith(beneath)}
    due = [found for found in walked.files if found.path not in known or not known[found.path].holds(found)]
    result.unchanged = len(walked.files) - len(due)
    # New paths come first, so that bytes which left their place are known to lie elsewhere when that place is read.
    due.sort(key=lambda found: found.path in known)
    # A row whose file is gone is taken by a new path that holds the same bytes.
    vacant: dict[str, list[_Known]] = {}
    for row in gone.values():
        if row.sha256 is not None:
            vacant.setdefault(row.sha256, []).append(row)

    batch: list[_Read] = []
    examined = {row.sha256 for row in known.values() if row.sha256 and row.examined == EXAMINATION_VERSION}
    for done, (found, read) in enumerate(_read_all(house, due, examined), start=1):
        if read is not None:
            batch.append(read)
        if len(batch) == BATCH:
            _record(house, batch, known, vacant, result)
            batch = []
        progress(done, len(due), found.path)
    _record(house, batch, known, vacant, result)

    kept = {row.id for rows in vacant.values() for row in rows}
    left = [row for row in gone.values() if not row.is_missing and (row.sha256 is None or row.id in kept)]
    for start in range(0, len(left), BATCH):
        _mark_missing(house, left[start : start + BATCH])
    result.missing = len(left)
    return result


def _known(session: Session) -> Iterator[tuple[str, _Known]]:
    rows = session.execute(
        select(
            LibraryFile.path,
            LibraryFile.id,
            LibraryFile.size,
            LibraryFile.mtime_ns,
            LibraryFile.sha256,
            LibraryFile.examined,
            LibraryFile.missing_since,
        ).execution_options(yield_per=1000)  # type: ignore[call-overload]
    )
    for path, identifier, size, mtime_ns, sha256, examined, missing_since in rows:
        yield path, _Known(identifier, size, mtime_ns, sha256, examined, missing_since is not None)


def _emptied(roots: Iterable[Path], files: list[Found], known: dict[str, _Known], result: ScanResult) -> Iterator[str]:
    """Book folders in which nothing at all is left: the sign of a disk that is not mounted, rather than of a person
    who threw away a whole library."""
    for root in roots:
        prefix = str(root).rstrip("/") + "/"
        had = sum(1 for path, row in known.items() if path.startswith(prefix) and not row.is_missing)
        if had < EMPTIED or any(found.path.startswith(prefix) for found in files):
            continue
        if root.is_dir() and not any(root.iterdir()):
            result.problems.append(
                f"The book folder {root} is empty, but {had} books were in it. Is the disk connected? They stay listed;"
                " if you removed them on purpose, put any file into the folder and scan again."
            )
            yield str(root)


def _read_all(house: House, due: list[Found], examined: set[str]) -> Iterator[tuple[Found, _Read | None]]:
    """Read files, several at a time but a bounded number ahead, and give what was read in the order of `due`."""
    with Workers(WORKERS) as workers, ThreadPoolExecutor(WORKERS, "scan") as threads:
        ahead: deque[tuple[Found, Future[_Read | None]]] = deque()
        for found in due:
            ahead.append((found, threads.submit(_read, house, workers, found, examined)))
            if len(ahead) > 2 * WORKERS:
                first, future = ahead.popleft()
                yield first, future.result()
        for first, future in ahead:
            yield first, future.result()


def _read(house: House, workers: Workers, found: Found, examined: set[str]) -> _Read | None:
    """Hash a file, and examine it if its bytes are not among the `examined`. `None` when it changes or goes away
    meanwhile: the next scan will see to it."""
    try:
        with open(found.path, "rb") as stream:
            read = digests(stream)
        is_known, outcome = _examined_before(house, read.sha256) if read.sha256 in examined else (False, None)
        if not is_known:
            outcome = workers.examine(found.path, read.size)
        status = os.stat(found.path)
        if (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns) or read.size != found.size:
            logger.info("%s is being written; the next scan will read it", found.path)
            return None
        return _Read(found, read, outcome)
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"The file cannot be read: {error.strerror or error}."
        return _Read(found, None, Refused(problem, "See that the user Bookwake runs as may read it, and scan again."))


def _examined_before(house: House, sha256: str) -> tuple[bool, Examined | Refused | None]:
    """Whether these bytes went through the present examination, and why they were refused if they were."""
    query = select(LibraryFile.problem, LibraryFile.remedy).where(
        LibraryFile.sha256 == sha256, LibraryFile.examined == EXAMINATION_VERSION
    )
    with house.database.read() as session:
        row = session.exec(query.limit(1)).first()
    if row is None:
        return False, None
    return True, Refused(row[0], row[1] or "") if row[0] is not None else None


def _record(
    house: House,
    batch: list[_Read],
    known: dict[str, _Known],
    vacant: dict[str, list[_Known]],
    result: ScanResult,
) -> None:
    """Write what was read, in one transaction."""
    if not batch:
        return
    with house.database.write() as session:
        for read in batch:
            row = known.get(read.found.path)
            came_from = None
            if row is None and read.digests is not None and vacant.get(read.digests.sha256):
                row = came_from = vacant[read.digests.sha256].pop()
            file = session.get(LibraryFile, row.id) if row is not None else None
            if file is None:
                file = LibraryFile(path=read.found.path, size=0, mtime_ns=0)
            _count(read, row, came_from is not None, result)
            if isinstance(read.outcome, Refused):
                register_refusal(session, file, read.found, read.digests, read.outcome, house.now())
            elif read.digests is not None and read.outcome is None:
                register_file(session, file, read.found, read.digests, house.now())
            elif read.digests is not None and isinstance(read.outcome, Examined):
                register_book(session, file, read.found, read.digests, read.outcome, house.now())


def _count(read: _Read, row: _Known | None, has_moved: bool, result: ScanResult) -> None:
    if isinstance(read.outcome, Refused):
        result.refused += 1
    elif row is None:
        result.added += 1
    elif row.is_missing:
        result.returned += 1
    elif has_moved:
        result.moved += 1
    elif read.digests is not None and read.digests.sha256 == row.sha256:
        result.unchanged += 1
    else:
        result.changed += 1


def _mark_missing(house: House, rows: list[_Known]) -> None:
    with house.database.write() as session:
        for row in rows:
            file = session.get_one(LibraryFile, row.id)
            file.missing_since = house.now()
            session.add(file)
            session.flush()
            if file.sha256 is not None:
                choose_main(session, file.sha256, house.now())
