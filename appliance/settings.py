"""What a person can set: command line before environment before TOML file before default.

Each setting has the same name everywhere: `--public-url`, `BOOKWAKE_PUBLIC_URL` (or `BOOKWAKE_PUBLIC_URL_FILE`, a
file that holds the value, for secrets), `public_url` in the TOML file.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

PREFIX = "BOOKWAKE_"


class SettingsError(Exception):
    """A setting cannot be used; the text says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Paths are absolute. `public_url`: what devices reach us by, without a trailing slash; `None`
    means http://HOST:PORT of the machine. `kepubify`: an executable, else the one on the path is used if there is one.
    """

    data: Path
    books: tuple[Path, ...]
    database_url: str
    host: str = "0.0.0.0"
    port: int = 8080
    public_url: str | None = None
    kepubify: Path | None = None

    @property
    def kepubs(self) -> Path:
        """Folder of every KEPUB ever made; bytes that were delivered stay."""
        return self.data / "kepub"

    @property
    def texts(self) -> Path:
        """Folder of the texts of files that devices refer to, for when the files are gone; part of each backup."""
        return self.data / "texts"

    @property
    def sidecars(self) -> Path:
        """Folder of what KOReaders keep beside their books, saved by the plugin; part of each backup."""
        return self.data / "sidecars"

    @property
    def covers(self) -> Path:
        """Folder of cover pictures and their sizes; can be made again."""
        return self.data / "covers"

    @property
    def backups(self) -> Path:
        """Folder of database backups."""
        return self.data / "backups"


def load(options: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from command-line `options` (absent or `None`: not given), environment and file.

    Raises `SettingsError`.
    """
    config = options.get("config") or environ.get(PREFIX + "CONFIG")
    given = {key: value for key, value in options.items() if value is not None}
    data = Path(str(given.get("data") or _from_environment("data", environ) or "data"))
    file = Path(config) if config else data / "bookwake.toml"
    if config and not file.is_file():
        raise SettingsError(f"The settings file {file} does not exist. Create it, or leave out --config.")
    from_file = _read_toml(file) if file.is_file() else {}
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(Settings)):
        value = given.get(name)
        if value is None:
            value = _from_environment(name, environ)
        if value is None:
            value = from_file.get(name)
        if value is not None:
            values[name] = value
    return _checked(values)


def _from_environment(name: str, environ: Mapping[str, str]) -> str | None:
    key = PREFIX + name.upper()
    if environ.get(key):
        return environ[key]
    if path := environ.get(key + "_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{key}_FILE names {path}, which cannot be read: {error.strerror}.") from None
    return None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error}.") from None
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(set(values) - known):
        raise SettingsError(
            f"The settings file {file} has an unknown setting “{unknown[0]}”. Known are: {', '.join(sorted(known))}."
        )
    return values


def _checked(values: dict[str, Any]) -> Settings:
    data = Path(str(values.get("data", "data"))).expanduser().absolute()
    books = values.get("books", "books")
    if isinstance(books, str | Path):
        books = [part for part in str(books).split(os.pathsep) if part]
    try:
        port = int(values.get("port", 8080))
    except (TypeError, ValueError):
        port = -1
    if not 0 <= port <= 65535:
        raise SettingsError(f"The port “{values.get('port')}” is not a number from 0 to 65535.")
    public_url = values.get("public_url")
    if public_url is not None:
        public_url = str(public_url).rstrip("/")
        if not public_url.startswith(("http://", "https://")):
            raise SettingsError(f"The public URL “{public_url}” must begin with http:// or https://.")
    kepubify = values.get("kepubify")
    return Settings(
        data=data,
        books=tuple(Path(str(book)).expanduser().absolute() for book in books),
        database_url=str(values.get("database_url") or f"sqlite:///{data / 'bookwake.sqlite3'}"),
        host=str(values.get("host", "0.0.0.0")),
        port=port,
        public_url=public_url,
        kepubify=Path(str(kepubify)).expanduser().absolute() if kepubify else None,
    )
