"""`bookwake user`: the people of the household."""

import argparse
import sys
from typing import Any

from appliance.commands.failure import Failure, Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json, print_table


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`user add` and `user list`."""
    text = "add and list the people of the household"
    actions = subparsers.add_parser("user", help=text, description=text, parents=[below]).add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    adding = actions.add_parser("add", help="add a person", parents=[below])
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--admin", action="store_true", help="may change the appliance's settings")
    adding.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    adding.add_argument("--json", action="store_true", help="print JSON")
    adding.set_defaults(run=add)
    listing = actions.add_parser("list", help="list the people", parents=[below])
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=show)


def add(options: Options) -> int:
    """Add a person."""
    from appliance.accounts.people import add_person

    password = _password(options["password_stdin"])
    with opened_house(options) as house:
        user = add_person(house, options["name"], password, is_admin=options["admin"])
    if options["json"]:
        print_json({"id": user.id, "name": user.name, "admin": user.is_admin})
    else:
        print(f"Added {user.name}.")
    return 0


def show(options: Options) -> int:
    """List the people."""
    from appliance.accounts.people import everybody

    with opened_house(options) as house, house.database.read() as session:
        people = everybody(session)
    if options["json"]:
        print_json([{"id": user.id, "name": user.name, "admin": user.is_admin} for user in people])
    else:
        print_table(("NAME", "ADMIN"), [(user.name, "yes" if user.is_admin else "no") for user in people])
    return 0


def _password(from_stdin: bool) -> str:
    """The password: one line of standard input, or asked for twice. It is no option, because others see those."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Failure("There is no terminal to ask for the password. Use --password-stdin.", misuse=True)
    from getpass import getpass

    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise Failure("The two passwords differ. Try again.")
    return password
