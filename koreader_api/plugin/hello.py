"""Meeting: whether there is a Bookwake, and what a plugin and the server tell each other of themselves."""

import re

from appliance import __version__
from appliance.library.file_links import library_mark
from appliance.models import User
from koreader_api.plugin import wire
from koreader_api.plugin.call import Call, Caller, Refusal
from koreader_api.plugin.caller import remember
from koreader_api.plugin.limits import LIMITS
from koreader_api.plugin.package import newest, signature

MINIMUM = "1.0.0"
"""The oldest plugin that is understood."""

PROTOCOL = 1
_SAID = ("plugin", "koreader", "platform", "model", "device_id")


def greet(call: Call) -> wire.Greeting:
    """Whether there is a Bookwake at an address."""
    return wire.Greeting("bookwake", __version__, [PROTOCOL])


def hello(call: Call, said: wire.Hello) -> wire.Welcome:
    """Who the device is here, what it may send, and whether there is a newer plugin."""
    if said.protocols and PROTOCOL not in said.protocols:
        raise Refusal(426, "plugin-too-new", "This plugin is newer than the server. Update the server.")
    caller = call.caller
    told = {name: getattr(said, name) for name in _SAID if getattr(said, name)}
    told["rolled_back"] = said.rolled_back
    remember(call.house, caller, told)
    if is_older(said.plugin, MINIMUM):
        raise Refusal(426, "plugin-too-old", "This plugin is too old for the server. Update it.", minimum=MINIMUM)
    with call.house.database.read() as session:
        person = session.get_one(User, caller.user_id).name
        library = library_mark(session, caller.user_id)
    return wire.Welcome(
        server="bookwake",
        version=__version__,
        protocol=PROTOCOL,
        time=int(call.now.timestamp()),
        library=library,
        device=wire.Named(caller.device_id, caller.name),
        person=person,
        minimum=MINIMUM,
        limits=LIMITS,
        address=call.house.settings.public_url,
        update=_update(caller, said),
    )


def is_older(one: str, other: str) -> bool:
    """Whether a version comes before another; one that is no version does not."""
    return (_numbers(one) or (10**9,)) < (_numbers(other) or ())


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d{1,6}(\.\d{1,6}){0,3}", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _update(caller: Caller, said: wire.Hello) -> wire.Update | None:
    package = newest()
    if package is None or not said.plugin or not is_older(said.plugin, package.version):
        return None
    if said.rolled_back == package.version:
        return None  # it did not start there
    signed = signature(package, caller.token_hash)
    return wire.Update(package.version, len(package.content), package.sha256, signed)
