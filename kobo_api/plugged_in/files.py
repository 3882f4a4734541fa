"""The files of a plugged-in Kobo: found, read, and the one that is ours to change written whole or not at all."""

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kobo_api.plugged_in.configuration import endpoint_of, given_back, is_store, with_endpoint
from kobo_api.plugged_in.errors import PluggedInError

MAX_SIZE = 4 * 1024 * 1024  # bytes of the configuration; a real one has some ten thousand
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class PluggedIn:
    """A mounted Kobo. `folder`: the root of its disk."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """Where the server stands (kobo-protocol.md 2.1)."""
        return self.folder / ".kobo" / "Kobo" / "Kobo eReader.conf"

    @property
    def backup(self) -> Path:
        """The configuration as it was before it ever named Bookwake."""
        return self.configuration.with_name("Kobo eReader.conf.before-bookwake")

    @property
    def database(self) -> Path:
        """What the device keeps of its books (kobo-protocol.md 10)."""
        return self.folder / ".kobo" / "KoboReader.sqlite"

    def read(self) -> bytes:
        """The configuration. Raises `PluggedInError`."""
        try:
            with self.configuration.open("rb") as stream:
                data = stream.read(MAX_SIZE + 1)
        except OSError as error:
            raise PluggedInError(
                f"The file {self.configuration} cannot be read: {error.strerror}. Plug the Kobo in again, and tap"
                " “Connect” on it."
            ) from None
        if len(data) > MAX_SIZE:
            raise PluggedInError(
                f"The file {self.configuration} is far larger than a Kobo's. Nothing was changed; look at it with a"
                " text editor."
            )
        return data

    @property
    def endpoint(self) -> str | None:
        """The server that the device calls, `None` where its file names none. Raises `PluggedInError`."""
        return endpoint_of(self.read())


def find_kobo(path: Path) -> PluggedIn:
    """The Kobo mounted at `path`: its drive, or any folder or file in `.kobo`. Raises `PluggedInError`."""
    if not path.exists():
        raise PluggedInError(
            f"There is no {path}. Plug the Kobo in, tap “Connect” on it, and give the folder it is mounted at."
        )
    path = path.absolute()
    for folder in (path, *path.parents[:3]):
        kobo = PluggedIn(folder)
        if kobo.configuration.is_file():
            return kobo
        if (folder / ".kobo").is_dir():
            raise PluggedInError(
                f"The Kobo at {folder} has no {kobo.configuration.relative_to(folder)} yet. Start it, choose its"
                " language, go through its set-up (an account is not needed for that file), and plug it in again."
            )
    raise PluggedInError(
        f"{path} is not the drive of a Kobo: it has no hidden folder “.kobo”. Give the folder that the Kobo is mounted"
        " at, such as /media/me/KOBOeReader."
    )


def check_writable(kobo: PluggedIn) -> None:
    """Raises `PluggedInError` where the configuration could not be changed."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".bookwake-", dir=kobo.configuration.parent)
        os.close(descriptor)
        os.unlink(name)
    except OSError as error:
        raise _not_writable(kobo, error) from None


def connect(kobo: PluggedIn, endpoint: str) -> bool:
    """Make the device call this server; whether that is a change. The first time, and when it comes back from the
    store, the file as it was is kept beside it. Raises `PluggedInError`; the file is then as it was."""
    data = kobo.read()
    changed = with_endpoint(data, endpoint)
    if changed == data:
        return False
    if not kobo.backup.exists() or is_store(endpoint_of(data)):
        _write(kobo, kobo.backup, data)
    _write(kobo, kobo.configuration, changed)
    return True


def give_back(kobo: PluggedIn) -> str | None:
    """Make the device call the server again that it called before; returns which, `None` where it names none. Raises
    `PluggedInError`."""
    data = kobo.read()
    if is_store(endpoint_of(data)):
        raise PluggedInError("This Kobo calls the Kobo store already. There is nothing to give back.")
    changed = given_back(data, kobo.backup.read_bytes() if kobo.backup.is_file() else None)
    _write(kobo, kobo.configuration, changed)
    with suppress(OSError):
        kobo.backup.unlink(missing_ok=True)
    return endpoint_of(changed)


def _write(kobo: PluggedIn, path: Path, data: bytes) -> None:
    """Replace a file whole or not at all, also when the cable is pulled."""
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".bookwake-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(OSError):  # a FAT disk knows no modes
            shutil.copymode(kobo.configuration, temporary)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        raise _not_writable(kobo, error) from None


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too, where a system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _not_writable(kobo: PluggedIn, error: OSError) -> PluggedInError:
    if error.errno in _READ_ONLY:
        return PluggedInError(
            f"The drive at {kobo.folder} cannot be written to ({error.strerror}). Unplug the Kobo, plug it in again,"
            " and see that it is mounted for writing by you."
        )
    return PluggedInError(
        f"The configuration at {kobo.folder} could not be written: {error.strerror}. Free some space"
        " on the Kobo, or plug it in again."
    )
