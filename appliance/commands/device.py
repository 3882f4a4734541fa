"""`bookwake device`: the readers that sync."""

import argparse
from typing import TYPE_CHECKING, Any

from appliance.commands.failure import Failure, Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json, print_table

if TYPE_CHECKING:
    from sqlmodel import Session

    from appliance.accounts.devices import NewDevice
    from appliance.models import User


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`device add`, `device list` and `device revoke`."""
    text = "add, list and revoke the devices that people read on"
    actions = subparsers.add_parser("device", help=text, description=text, parents=[below]).add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    adding = actions.add_parser("add", help="add a device and print what it needs, once", parents=[below])
    adding.add_argument("--user", metavar="NAME", required=True, help="whose device it is")
    adding.add_argument("--kind", choices=("kobo", "koreader", "kosync"), required=True)
    adding.add_argument("--name", help="what to call it (default: its kind)")
    adding.set_defaults(run=add)
    listing = actions.add_parser("list", help="list the devices", parents=[below])
    listing.add_argument("--user", metavar="NAME", help="only this person's")
    listing.set_defaults(run=show)
    revoking = actions.add_parser("revoke", help="shut a device out; what it read stays", parents=[below])
    revoking.add_argument("id", type=int, metavar="ID", help="as listed")
    revoking.set_defaults(run=revoke)
    for action in (adding, listing, revoking):
        action.add_argument("--json", action="store_true", help="print JSON")


def add(options: Options) -> int:
    """Add a device; its secrets are shown this once."""
    from appliance.accounts.devices import add_device
    from appliance.addresses import public_url

    if options["kind"] == "koreader":
        return _offer_code(options)
    with opened_house(options) as house:
        with house.database.write() as session:
            user = _person(session, options["user"])
            added = add_device(house, session, user, options["kind"], options.get("name"))
        needed = _needed(added, public_url(house.settings))
    if options["json"]:
        print_json(needed)
        return 0
    print(f"Added “{added.device.name}”. Shown only now:")
    for label, value in list(needed.items())[1:]:
        print(f"  {label.replace('_', ' ')}: {value}")
    return 0


def _offer_code(options: Options) -> int:
    """A KOReader with the plugin becomes a device when this code is typed on it."""
    from appliance.accounts.pairing import offer_code
    from appliance.addresses import public_url

    with opened_house(options) as house:
        with house.database.write() as session:
            user = _person(session, options["user"])
            code, ends = offer_code(house, session, user.id or 0, options.get("name"))
        server = public_url(house.settings)
    if options["json"]:
        print_json({"server": server, "code": code, "expires_at": ends.isoformat()})
        return 0
    print("Type this in KOReader, in the menu of its Bookwake plugin, within ten minutes:")
    print(f"  server: {server}")
    print(f"  code: {code}")
    return 0


def show(options: Options) -> int:
    """List the devices that are not revoked."""
    from appliance.accounts.devices import of_person
    from appliance.accounts.people import everybody

    with opened_house(options) as house, house.database.read() as session:
        people = [_person(session, options["user"])] if options.get("user") else everybody(session)
        rows = [(user.name, device) for user in people for device in of_person(session, user.id or 0)]
    if options["json"]:
        print_json(
            [
                {
                    "device": device.id,
                    "user": name,
                    "kind": device.kind,
                    "name": device.name,
                    "login": device.login,
                    "last_seen_at": device.last_seen_at.isoformat() if device.last_seen_at else None,
                }
                for name, device in rows
            ]
        )
    else:
        print_table(
            ("ID", "USER", "KIND", "NAME", "LAST SEEN"),
            [
                (
                    device.id,
                    name,
                    device.kind,
                    device.name,
                    f"{device.last_seen_at:%Y-%m-%d %H:%M} UTC" if device.last_seen_at else "never",
                )
                for name, device in rows
            ],
        )
    return 0


def revoke(options: Options) -> int:
    """Shut a device out."""
    from appliance.accounts import devices
    from appliance.models import Device

    with opened_house(options) as house, house.database.write() as session:
        found = session.get(Device, options["id"])
        device = devices.revoke(house, session, found.user_id if found else 0, options["id"])
    if options["json"]:
        print_json({"device": device.id, "revoked": True})
    else:
        print(f"“{device.name}” can no longer sync. What was read on it stays.")
    return 0


def _person(session: "Session", name: str) -> "User":
    from appliance.accounts.people import by_name

    user = by_name(session, name)
    if user is None:
        raise Failure(f"There is nobody called “{name}”. See “bookwake user list”.")
    return user


def _needed(added: "NewDevice", base: str) -> dict[str, object]:
    """What the person has to enter on the device, as scripts read it."""
    from appliance.addresses import kobo_url, kosync_url

    device = added.device
    if added.token is not None:
        return {"device": device.id, "token": added.token, "api_endpoint": kobo_url(base, added.token)}
    return {"device": device.id, "server": kosync_url(base), "username": added.login, "password": added.password}
