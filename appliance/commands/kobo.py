"""`bookwake kobo`: a Kobo that is plugged in by cable."""

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.commands import kobo_import
from appliance.commands.failure import Failure, Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.house import House
    from appliance.models import Device, User
    from kobo_api.plugged_in.files import PluggedIn


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`kobo configure` and `kobo import`."""
    text = "make a plugged-in Kobo sync with Bookwake, take over what was read on it, or give it back"
    actions = subparsers.add_parser("kobo", help=text, description=text, parents=[below]).add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    text = "change the one line on a plugged-in Kobo that says which server it calls; --undo puts the former one back"
    configuring = actions.add_parser("configure", help=text, description=text, parents=[below])
    configuring.add_argument("path", type=Path, metavar="PATH", help="where the Kobo is mounted")
    what = configuring.add_mutually_exclusive_group(required=True)
    what.add_argument("--user", metavar="NAME", help="add it as a device of this person, if it is none yet")
    what.add_argument("--device", type=int, metavar="ID", help="connect this device again; its former secret ends")
    what.add_argument("--api-endpoint", metavar="URL", help="the line's value as Bookwake showed it elsewhere")
    what.add_argument("--undo", action="store_true", help="give the Kobo back to the server that it called before")
    configuring.add_argument("--name", help="what to call the device (default: Kobo)")
    configuring.add_argument("--yes", action="store_true", help="also when it calls another server than the Kobo store")
    configuring.add_argument("--json", action="store_true", help="print JSON")
    configuring.set_defaults(run=configure)
    kobo_import.declare(actions, below)


def configure(options: Options) -> int:
    """Change the configuration, or put it back."""
    with plugged_in(options["path"]) as kobo:
        if options["undo"]:
            return _give_back(options, kobo)
        from kobo_api.plugged_in.files import check_writable, connect

        check_writable(kobo)
        former = kobo.endpoint
        if options["api_endpoint"]:
            endpoint = _checked(options["api_endpoint"])
            _ask(options, kobo, former, endpoint)
            is_changed = connect(kobo, endpoint)
            return _say(options, kobo, None, endpoint, is_changed)
        with opened_house(options) as house:
            base = _public_url(house)
            device, token = known_device(house, former)
            if device is not None and _is_meant(house, options, device):
                endpoint = _checked(f"{base}/kobo/{token}")
                is_changed = connect(kobo, endpoint)
            else:
                _ask(options, kobo, former, base)
                _refuse_a_second_time(options, kobo)
                device, endpoint = _connect_new(house, options, kobo, base)
                is_changed = True
            return _say(options, kobo, device, endpoint, is_changed)


@contextmanager
def plugged_in(path: Path) -> "Iterator[PluggedIn]":
    """The Kobo that is mounted there. What can be wrong with it becomes a `Failure`."""
    from kobo_api.plugged_in.errors import PluggedInError
    from kobo_api.plugged_in.files import find_kobo

    try:
        yield find_kobo(path)
    except PluggedInError as error:
        raise Failure(str(error)) from None


def _give_back(options: Options, kobo: "PluggedIn") -> int:
    from kobo_api.plugged_in.files import give_back

    endpoint = give_back(kobo)
    if options["json"]:
        print_json({"configuration": str(kobo.configuration), "api_endpoint": endpoint})
    else:
        print(f"The Kobo calls {endpoint or 'the Kobo store'} again. Eject it and restart it.")
        print("To shut it out of Bookwake for good, remove it on the page “Devices”, or by “bookwake device revoke”.")
    return 0


def _connect_new(house: "House", options: Options, kobo: "PluggedIn", base: str) -> tuple["Device", str]:
    """A device with a new secret, and the file with it; no device remains when the file cannot be written."""
    from appliance.accounts.devices import add_device, renew
    from appliance.models import Device
    from kobo_api.plugged_in.errors import PluggedInError
    from kobo_api.plugged_in.files import connect

    is_new = options["device"] is None
    with house.database.write() as session:
        if is_new:
            added = add_device(house, session, _person(house, options["user"]), "kobo", options.get("name"))
        else:
            found = session.get(Device, options["device"])
            if found is None or found.kind != "kobo":
                raise Failure(f"There is no Kobo number {options['device']}. See “bookwake device list”.")
            former = found.token_hash
            added = renew(session, found.user_id, options["device"])
        device = added.device
        device_id = device.id
    endpoint = _checked(f"{base}/kobo/{added.token}")
    try:
        connect(kobo, endpoint)
    except PluggedInError:
        with house.database.write() as session:
            stored = session.get_one(Device, device_id)
            if is_new:
                session.delete(stored)
            else:
                stored.token_hash = former
        raise
    return device, endpoint


def known_device(house: "House", endpoint: str | None) -> tuple["Device | None", str]:
    """The device of this house whose secret stands on the Kobo."""
    from appliance.accounts.devices import by_token

    token = (endpoint or "").rpartition("/kobo/")[2]
    with house.database.read() as session:
        return by_token(session, token), token


def _is_meant(house: "House", options: Options, device: "Device") -> bool:
    """Whether the Kobo is connected as was asked for already. One that is another person's must not change hands."""
    if options["device"] is not None:
        return bool(device.id == options["device"])
    if device.user_id == _person(house, options["user"]).id:
        return True
    raise Failure(
        "This Kobo is connected already, as a device of another person. Reading on it would become somebody else's:"
        " use --undo first if that is meant."
    )


def _person(house: "House", name: str) -> "User":
    from appliance.accounts.people import by_name

    with house.database.read() as session:
        user = by_name(session, name)
    if user is None:
        raise Failure(f"There is nobody called “{name}”. See “bookwake user list”.")
    return user


def _public_url(house: "House") -> str:
    from urllib.parse import urlsplit

    from appliance.addresses import public_url

    base = public_url(house.settings)
    host = urlsplit(base).hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        raise Failure(
            f"A Kobo cannot reach {base}, which is this machine only for itself. Say with --public-url how the Kobo"
            " reaches Bookwake, such as http://192.168.1.20:8080."
        )
    return base


def _checked(endpoint: str) -> str:
    from kobo_api.plugged_in.configuration import checked_endpoint

    try:
        return checked_endpoint(endpoint)
    except ValueError as error:
        raise Failure(str(error), misuse=True) from None


def _ask(options: Options, kobo: "PluggedIn", former: str | None, endpoint: str) -> None:
    """A Kobo that calls another server than the store is taken from it only if a person says so."""
    from urllib.parse import urlsplit

    from kobo_api.plugged_in.configuration import is_store

    if options["yes"] or is_store(former) or urlsplit(former or "").netloc == urlsplit(endpoint).netloc:
        return
    # The secret of the other server is nobody's business.
    sentence = f"The Kobo at {kobo.folder} syncs with another server, {urlsplit(former or '').netloc}."
    if sys.stdin.isatty() and not options["json"]:
        if input(f"{sentence} Shall it call {endpoint} from now on? [y/N] ").strip().lower() in ("y", "yes"):
            return
        raise Failure("Nothing was changed.")
    raise Failure(f"{sentence} Add --yes if it is to call Bookwake from now on; --undo puts it back.")


def _refuse_a_second_time(options: Options, kobo: "PluggedIn") -> None:
    """A Kobo whose software forgot the server is still the one that it was. A second entry would offer it all its books
    anew, and it would drop what it holds."""
    if options["user"] and kobo.backup.exists() and not options["yes"]:
        raise Failure(
            "This Kobo was connected before, and its software put another address in since. Connect that entry again"
            " with --device ID (see “bookwake device list”); add --yes if it is to become a new one all the same."
        )


def _say(options: Options, kobo: "PluggedIn", device: "Device | None", endpoint: str, is_changed: bool) -> int:
    if options["json"]:
        print_json(
            {
                "device": device.id if device is not None else None,
                "api_endpoint": endpoint,
                "configuration": str(kobo.configuration),
                "backup": str(kobo.backup),
                "changed": is_changed,
            }
        )
        return 0
    if not is_changed:
        print("This Kobo is connected already. Nothing was changed.")
        return 0
    name = f" as “{device.name}”" if device is not None else ""
    print(f"The Kobo is connected{name}. Its former configuration is kept beside it: {kobo.backup.name}")
    print("Eject it, restart it, connect it to Wi-Fi and tap “Sync”.")
    return 0
