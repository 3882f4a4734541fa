"""The commands of the command line, one file each.

A command's file has `declare`, which describes its part of the command line, and the functions that run it with the
parsed options. Heavy imports stay inside those functions, so that `bookwake --help` answers at once.
"""

import argparse
from typing import Any

from appliance.commands import (
    backup,
    convert,
    device,
    doctor,
    health,
    kobo,
    openapi,
    rebuild,
    restore,
    scan,
    selftest,
    serve,
    sweeps,
    translate,
    user,
)
from appliance.commands.failure import Options

# In the order of `bookwake --help`.
MODULES = (
    serve,
    scan,
    user,
    device,
    kobo,
    convert,
    translate,
    selftest,
    sweeps,
    backup,
    restore,
    doctor,
    rebuild,
    health,
    openapi,
)


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """Describe every command. `below`: the options they all share."""
    for module in MODULES:
        module.declare(subparsers, below)


def run(options: Options) -> int:
    """Run the command that was parsed; returns the exit status. Raises `Failure`, `SettingsError`."""
    function: Any = options.pop("run")
    status: int = function(options)
    return status
