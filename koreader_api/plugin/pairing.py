"""How a KOReader becomes somebody's device (docs/plugin-protocol.md, Pairing)."""

from collections.abc import Hashable

from appliance.accounts import pairing
from appliance.accounts.attempts import Attempts
from appliance.accounts.tokens import plain_code
from koreader_api.plugin import wire
from koreader_api.plugin.call import Call, Refusal

_WRONG = "This code is wrong, was used already, or is too old. Take a new one from the Devices page."
# Codes of six characters end in ten minutes; all strangers together get this many guesses in a quarter of an hour.
_EVERYBODY = Attempts(limit=500)


def pair(call: Call, said: wire.Pair) -> wire.Paired:
    """The code that a person read on the Devices page, or that came inside the plugin, for a token."""
    key = ("pair", call.host)
    is_short = len(plain_code(said.code)) <= pairing.SHORT
    _wait(call, call.attempts, key)
    if is_short:
        _wait(call, _EVERYBODY, "pair")
    with call.house.database.write() as session:
        paired = pairing.redeem(call.house, session, said.code, _about(said), said.name)
    if paired is None:
        call.attempts.failed(key, call.now)
        if is_short:
            _EVERYBODY.failed("pair", call.now)
        raise Refusal(403, "wrong-code", _WRONG)
    call.attempts.succeeded(key)
    return _paired(paired)


def begin(call: Call, said: wire.Introduction) -> wire.Begun:
    """A code for the device to show."""
    key = ("pair-begin", call.host)
    _wait(call, call.attempts, key)
    call.attempts.failed(key, call.now)  # each costs, whatever becomes of it
    try:
        with call.house.database.write() as session:
            shown = pairing.begin(call.house, session, _about(said), said.name)
    except pairing.TooManyWaiting:
        raise Refusal(429, "too-many", "Too many readers are waiting. Try again later.", retry_after=600) from None
    seconds = int((shown.expires_at - call.now).total_seconds())
    return wire.Begun(shown.code, shown.secret, seconds, f"{call.address}/devices/koreader")


def poll(call: Call, said: wire.Poll) -> wire.Paired | wire.Waiting:
    """Whether somebody typed the code."""
    with call.house.database.write() as session:
        became = pairing.poll(call.house, session, said.secret)
    if isinstance(became, bool):
        if became:
            return wire.Waiting(True)
        raise Refusal(410, "expired", "The code has ended. Begin again.")
    return _paired(became)


def _wait(call: Call, attempts: Attempts, key: Hashable) -> None:
    wait = attempts.wait(key, call.now)
    if wait:
        seconds = int(wait.total_seconds()) + 1
        raise Refusal(429, "too-many", "Too many attempts. Wait some minutes and try again.", retry_after=seconds)


def _about(said: wire.Introduction) -> dict[str, str]:
    said_of_itself = {name: getattr(said, name) for name in ("model", "koreader", "plugin", "device_id")}
    return {name: value for name, value in said_of_itself.items() if value}


def _paired(paired: pairing.Paired) -> wire.Paired:
    assert paired.device.id is not None
    return wire.Paired(paired.token, wire.Named(paired.device.id, paired.device.name), paired.person)
