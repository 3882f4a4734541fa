"""`bookwake serve`: the appliance itself, in one process, until it is stopped."""

import argparse
import gc
import logging
import signal
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from appliance.commands.failure import Failure, Options
from appliance.commands.memory import return_freed_memory
from appliance.commands.opening import opened_house

if TYPE_CHECKING:
    from appliance.house import House
    from appliance.settings import Settings

THREADS = 16
"""Requests that work at the same time: most of them wait for the disk, and a download may wait for a conversion."""

SECONDS_TO_STOP = 8


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`serve`."""
    text = "run the appliance"
    subparsers.add_parser("serve", help=text, description=text, parents=[below]).set_defaults(run=run)


def run(options: Options) -> int:
    """Serve until SIGINT or SIGTERM; requests under way are finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for chatty in ("alembic", "apscheduler", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with opened_house(options) as house:
        return_freed_memory()
        # uvicorn stops gently on its own, then raises the signal again: end then, and early, by way of all clean-up.
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, lambda *_: sys.exit(0))
        listening = _listen(house.settings)
        with listening:
            # Port 0 means any free one; from here on it is known which.
            port = listening.getsockname()[1]
            house = replace(house, settings=replace(house.settings, port=port))
            _greet(house)
            _serve(house, listening)
    return 0


def _listen(settings: "Settings") -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=256)
    except OSError as error:
        raise Failure(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. Stop what uses it, or"
            " choose another with --port."
        ) from None


def _greet(house: "House") -> None:
    """Print where we are, and while there is nobody yet, the code for the first person."""
    from appliance.accounts import setup_code
    from appliance.addresses import public_url

    print(f"Bookwake is at {public_url(house.settings)}", flush=True)
    for folder in house.settings.books:
        if not folder.is_dir():
            print(f"The book folder {folder} does not exist. Create it, or name another with --books.", file=sys.stderr)
    if code := setup_code.renew(house):
        print(f"Set-up code: {code}", flush=True)
        print("Open the address in a browser and enter the code to create the first person.", flush=True)


def _serve(house: "House", listening: socket.socket) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import uvicorn
    from litestar.concurrency import set_asyncio_executor

    from appliance.app import create_app

    set_asyncio_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="request"))
    app = create_app(house)
    gc.freeze()  # what has been loaded by now stays: the collector need not look at it again and again
    config = uvicorn.Config(
        app,
        log_config=None,
        # A Kobo's address holds its token, and an access log would hold the address.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SECONDS_TO_STOP,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[listening])
