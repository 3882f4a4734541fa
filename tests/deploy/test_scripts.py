"""The shell scripts, as shellcheck reads them."""

import subprocess

import pytest

from tests import needs
from tests.conftest import ROOT


@pytest.mark.parametrize("script", ["deploy/install.sh", ".ci/run"])
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    done = subprocess.run(
        [needs.program("shellcheck", "shellcheck"), ROOT / script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout.decode()


def test_install_script_is_asked_what_to_do() -> None:
    done = subprocess.run(["sh", ROOT / "deploy" / "install.sh"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: install.sh install")
