"""The install script in a Debian 12 that has nothing but itself: once without systemd, once with it really running.

Makes the system with debootstrap and boots it with systemd-nspawn, so it needs root, a network and some minutes.
"""

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.conftest import ROOT

pytestmark = pytest.mark.nightly

SCRIPT = "/root/bookwake/deploy/install.sh"
TRACES = (
    "opt/bookwake",
    "etc/bookwake",
    "var/lib/bookwake",
    "etc/systemd/system/bookwake.service",
    "usr/local/bin/bookwake",
)


def checkout_into(root: Path, with_assets: bool = False) -> Path:
    """The project's files, as git knows them and as they are now, in root's home of another system. `with_assets`: and
    the browser libraries, so that no Node is needed to fetch them again."""
    target = root / "root" / "bookwake"
    shutil.rmtree(target, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    if with_assets:
        vendor = Path("webreader/static/vendor")
        shutil.copytree(ROOT / vendor, target / vendor)
    return target


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root folder of a minimal Debian 12 with systemd, and no Python."""
    debootstrap = needs.program("debootstrap", "debootstrap")
    if os.geteuid() != 0:
        pytest.skip("needs root for chroot")
    # Not the temporary folder itself: that is closed to all but its owner, and the service has a user of its own.
    root = tmp_path_factory.mktemp("debian") / "root"
    subprocess.run(
        [debootstrap, "--variant=minbase", "--include=systemd-sysv,dbus,ca-certificates", "bookworm", root],
        check=True,
        capture_output=True,
    )
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    # A machine that reaches the network through a proxy of its own trusts one more authority.
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc" / "ssl" / "certs" / "ca-certificates.crt")
    checkout_into(root)
    yield root
    shutil.rmtree(root, ignore_errors=True)


class Machine:
    """A system in which commands are run; `prefix` goes into it."""

    def __init__(self, root: Path, prefix: list[str]) -> None:
        self.root = root
        self.prefix = prefix

    def run(self, *command: str, status: int = 0) -> str:
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/root",
        }
        done = subprocess.run(
            [*self.prefix, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == status, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}"
        return done.stdout

    def has(self, path: str) -> bool:
        return os.path.lexists(self.root / path)


@pytest.fixture
def chroot(debian: Path) -> Machine:
    return Machine(debian, ["chroot", str(debian)])


@pytest.fixture
def booted(debian: Path) -> Iterator[Machine]:
    """The system with its own systemd running, on the network of this machine."""
    nspawn = needs.program("systemd-nspawn", "systemd-container")
    (debian / "etc" / "machine-id").unlink(missing_ok=True)
    process = subprocess.Popen(
        [nspawn, "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe", "-D", debian],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        machine = Machine(debian, ["nsenter", "--all", "--target", wait_for_child(process.pid)])
        for _ in range(60):
            state = subprocess.run([*machine.prefix, "systemctl", "is-system-running"], capture_output=True, text=True)
            if state.stdout.strip() in ("running", "degraded"):
                break
            time.sleep(1)
        else:
            pytest.fail(f"systemd did not come up: {state}")
        yield machine
        subprocess.run([*machine.prefix, "systemctl", "poweroff"], capture_output=True)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()


def wait_for_child(pid: int) -> str:
    for _ in range(100):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return children[0]
        time.sleep(0.1)
    pytest.fail("systemd-nspawn started nothing")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_without_systemd(chroot: Machine) -> None:
    """As in a plain container: everything is there but started, and it goes without a trace."""
    assert "not installed" in chroot.run(SCRIPT, "update", status=1)
    chroot.run(SCRIPT, "instal", status=2)
    said = chroot.run(SCRIPT, "install")
    assert "is installed" in said and "No systemd runs here" in said
    assert chroot.run("bookwake", "--version").startswith("bookwake ")
    static = next((chroot.root / "opt/bookwake/releases").glob("*/lib/python3*/site-packages/webreader/static"))
    assert (static / "vendor/foliate-js-1.0.1/view.js").is_file()
    assert not list((chroot.root / "root/bookwake").rglob("node_modules"))
    assert "BOOKWAKE_BOOKS=/srv/books" in (chroot.root / "etc/bookwake/bookwake.env").read_text()

    first = os.readlink(chroot.root / "opt/bookwake/current")
    chroot.run(SCRIPT, "install")
    assert os.readlink(chroot.root / "opt/bookwake/current") != first
    assert len(list((chroot.root / "opt/bookwake/releases").iterdir())) == 1

    chroot.run(SCRIPT, "uninstall")
    assert [path for path in TRACES if chroot.has(path)] == ["etc/bookwake", "var/lib/bookwake"]
    chroot.run(SCRIPT, "uninstall", "--purge")
    assert not [path for path in TRACES if chroot.has(path)]
    assert "bookwake" not in (chroot.root / "etc/passwd").read_text()
    assert chroot.has("srv/books")


def test_service(booted: Machine) -> None:
    """Install, use, update, two updates that fail, and uninstall, under a running systemd."""
    root = booted.root
    port = free_port()
    (root / "etc/bookwake").mkdir()
    settings = f"BOOKWAKE_DATA=/var/lib/bookwake\nBOOKWAKE_BOOKS=/srv/books\nBOOKWAKE_PORT={port}\n"
    (root / "etc/bookwake/bookwake.env").write_text(settings)
    (root / "srv/books").mkdir(exist_ok=True)
    book = next((ROOT / "tests" / "data" / "books").glob("*.epub"))
    shutil.copy(book, root / "srv/books")
    checkout = checkout_into(root, with_assets=True)
    database = root / "var/lib/bookwake/bookwake.sqlite3"

    def people() -> list[str]:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return [name for (name,) in connection.execute("SELECT name FROM user")]

    def is_well() -> None:
        assert booted.run("systemctl", "is-active", "bookwake").strip() == "active"
        booted.run("bookwake", "health")

    booted.run(SCRIPT, "install")
    assert (root / "etc/bookwake/bookwake.env").read_text() == settings
    is_well()
    assert booted.run("systemctl", "is-enabled", "bookwake").strip() == "enabled"
    assert "Set-up code" in booted.run("journalctl", "-u", "bookwake", "-o", "cat", "--no-pager")
    pid = booted.run("systemctl", "show", "-P", "MainPID", "bookwake").strip()
    assert booted.run("stat", "-c", "%U", f"/proc/{pid}").strip() == "bookwake"
    state = dict(line.split(":\t", 1) for line in booted.run("cat", f"/proc/{pid}/status").splitlines())
    assert (state["NoNewPrivs"], state["Seccomp"], int(state["CapEff"], 16)) == ("1", "2", 0)
    inside = ("nsenter", "--mount", "--target", pid)
    booted.run(*inside, "touch", "/var/lib/bookwake/x")
    assert "Read-only file system" in booted.run(*inside, "touch", "/srv/books/x", status=1)
    assert "Read-only file system" in booted.run(*inside, "touch", "/opt/bookwake/x", status=1)
    booted.run("sh", "-c", "echo 'a long password' | bookwake user add ann --admin --password-stdin")
    booted.run("bookwake", "scan")
    assert people() == ["ann"]

    booted.run("systemctl", "kill", "-s", "KILL", "bookwake")
    time.sleep(8)
    is_well()

    # A version that cannot start at all is not let near the service.
    serve = checkout / "appliance" / "commands" / "serve.py"
    good = serve.read_text()
    running = booted.run("systemctl", "show", "-P", "MainPID", "bookwake")
    serve.write_text("raise RuntimeError('broken on purpose')\n" + good)
    assert "nothing was changed" in booted.run(SCRIPT, "update", status=1)
    assert booted.run("systemctl", "show", "-P", "MainPID", "bookwake") == running
    is_well()

    # A version that spoils the database and then fails is taken back, and so is the database.
    spoil = (
        "import pathlib, sqlite3\n"
        "home = pathlib.Path('/var/lib/bookwake')\n"
        "if pathlib.Path.cwd() == home and (home / 'bookwake.sqlite3').exists():\n"
        "    sqlite3.connect('/var/lib/bookwake/bookwake.sqlite3').executescript('UPDATE user SET name = \"nobody\"')\n"
        "    raise RuntimeError('broken on purpose')\n"
    )
    serve.write_text(spoil + good)
    assert "The version of before runs again" in booted.run(SCRIPT, "update", status=1)
    is_well()
    assert people() == ["ann"]
    assert len(list((root / "opt/bookwake/releases").iterdir())) == 1

    serve.write_text(good)
    version = checkout / "appliance" / "__init__.py"
    version.write_text(version.read_text().replace('__version__ = "', '__version__ = "9.'))
    booted.run(SCRIPT, "update")
    assert booted.run("bookwake", "--version").startswith("bookwake 9.")
    is_well()
    assert people() == ["ann"]
    assert len(list((root / "opt/bookwake/releases").iterdir())) == 1

    booted.run(SCRIPT, "uninstall")
    assert "could not be found" in booted.run("systemctl", "status", "bookwake", status=4)
    assert people() == ["ann"]
    booted.run(SCRIPT, "install")
    is_well()
    assert people() == ["ann"]
    booted.run(SCRIPT, "uninstall", "--purge")
    assert not [path for path in TRACES if booted.has(path)]
    assert (root / "srv/books" / book.name).is_file()
