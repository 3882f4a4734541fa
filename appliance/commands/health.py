"""`bookwake health`: asks the running appliance whether it is well; what a container's health check calls."""

import argparse
import json
import urllib.error
import urllib.request
from typing import Any

from appliance import settings
from appliance.commands.failure import Failure, Options
from appliance.commands.output import print_json

TIMEOUT = 5


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`health`."""
    text = "ask the running appliance whether it is ready"
    command = subparsers.add_parser("health", help=text, description=text, parents=[below])
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """Call `/readyz` of the appliance on this machine."""
    loaded = settings.load(options)
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(loaded.host, loaded.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{loaded.port}/readyz"
    # Never through a proxy that the environment names: this is about this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            state = json.loads(answer.read(10_000))
    except urllib.error.HTTPError as error:
        raise Failure(f"Bookwake runs but is not ready (status {error.code}). Its log says why.") from None
    except (OSError, ValueError):
        raise Failure(f"Nothing that works answers at {url}. Start it with “bookwake serve”, or give --port.") from None
    if options["json"]:
        print_json(state)
    else:
        print("Bookwake is ready.")
    return 0
