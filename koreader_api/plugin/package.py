"""The plugin itself: as a zip for a person, with a code inside, and as an update for a device."""

import hashlib
import hmac
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, post
from litestar.exceptions import NotFoundException
from litestar.types import ControllerRouterHandler

import koreader_api
from appliance.accounts.pairing import offer_code
from appliance.addresses import base_url
from appliance.house import House

FOLDER = "bookwake.koplugin"
ENROLMENT = "enrolment.json"
"""Inside a zip that a person downloads: `{"server": address, "code": code}`. The plugin trades the code for its token
and deletes the file."""

_VERSION = re.compile(r'^\s*version\s*=\s*"([0-9][0-9A-Za-z.+-]{0,40})"', re.MULTILINE)
_MADE = (2026, 1, 1, 0, 0, 0)  # every file's time, so that the same files are the same zip


@dataclass(frozen=True, slots=True)
class Package:
    """The plugin's files as a zip, not compressed: no KOReader before v2025.08 could take that apart. `sha256`: of
    `content`, in hex."""

    version: str
    content: bytes
    sha256: str


def newest() -> Package | None:
    """The plugin that comes with this program; `None` where it is not installed."""
    folder = _folder()
    if folder is None:
        return None
    files = list(_files(folder))
    stamp = max((path.stat().st_mtime_ns for _, path in files), default=0)
    return _packed(folder, stamp, len(files))


def signature(package: Package, token_hash: str) -> str:
    """What proves to the owner of a token that we made the package. `token_hash`: SHA-256 (hex) of that token."""
    text = f"{package.version}\n{len(package.content)}\n{package.sha256}"
    return hmac.new(token_hash.encode(), text.encode(), hashlib.sha256).hexdigest()


def enclosing(folder: Path, server: str, code: str) -> bytes:
    """The plugin in `folder` as a zip to unpack into KOReader's `plugins` folder, with a code inside."""
    enrolment = json.dumps({"server": server, "code": code}, indent=1) + "\n"
    return _zipped(folder, {f"{FOLDER}/{ENROLMENT}": enrolment.encode()})


@post(
    "/devices/koreader/plugin.zip",
    opt={"access": "person"},
    sync_to_thread=True,
    status_code=200,
    include_in_schema=False,
)
def download(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The plugin for the person who is signed in."""
    house: House = request.app.state.house
    folder = _folder()
    if folder is None:
        raise NotFoundException("This server has no plugin to give.")
    with house.database.write() as session:
        code, _ = offer_code(house, session, request.user.user_id, is_enclosed=True)
    return Response(
        enclosing(folder, base_url(house.settings, request), code),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{FOLDER}.zip"', "Cache-Control": "no-store"},
    )


def _folder() -> Path | None:
    """Beside the packages: in a checkout as `koplugin/`, in an installed program inside this package."""
    package = Path(koreader_api.__file__).parent
    for folder in (package / "koplugin" / FOLDER, package.parent / "koplugin" / FOLDER):
        if (folder / "_meta.lua").is_file():
            return folder
    return None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder.parent).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            yield name, path


@lru_cache(maxsize=1)
def _packed(folder: Path, stamp: int, count: int) -> Package | None:
    found = _VERSION.search((folder / "_meta.lua").read_text(encoding="utf-8"))
    if found is None:
        return None
    content = _zipped(folder, {})
    return Package(found[1], content, hashlib.sha256(content).hexdigest())


def _zipped(folder: Path, more: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        contents = {name: path.read_bytes() for name, path in _files(folder)}
        for name, content in {**contents, **more}.items():
            entry = zipfile.ZipInfo(name, _MADE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()


routes: list[ControllerRouterHandler] = [download]
