"""A Kobo that was reset or signed out holds nothing, and nobody says so (docs/reference/kobo-protocol.md 2.6, 4.10).

It is recognised by three signs together: it introduced itself as a new device (`add-device`), it comes without a sync
token of ours, and it kept such a token before. A lost token alone is answered from the ledger: taking a device for
empty that is not would make it drop all its books.
"""

from sqlmodel import Session

from appliance.library.kobo_choice import start_anew, sync_of
from appliance.models import KoboCheckpoint, KoboSync
from kobo_api.call import Answer, Call, answer
from kobo_api.library.sync_run import read_token


def add_device(call: Call) -> Answer:
    """`POST /v1/user/add-device` → `{}`; anything else cancels the first sync (2.6)."""
    with call.house.database.write() as session:
        sync_of(session, call.caller.device_id).registered_at = call.house.now()
    return answer({})


def note_token(call: Call, session: Session) -> KoboSync | None:
    """See what the token of a sync says of the device, before anything is decided; returns what it is to get. Writes
    only when that is news."""
    kept = session.get(KoboSync, call.caller.device_id)
    asked = read_token(call.headers.get("x-kobo-synctoken", ""))
    if asked is not None:
        keeps = (kept is not None and kept.shows_tokens) or _ends_a_run(session, call, asked)
        if kept is None and not keeps:
            return None
        if kept is None or kept.registered_at is not None or keeps != kept.shows_tokens:
            with call.house.database.write() as writing:
                known = sync_of(writing, call.caller.device_id)
                known.shows_tokens, known.registered_at = keeps, None
                return known
    elif kept is not None and kept.shows_tokens and kept.registered_at is not None:
        with call.house.database.write() as writing:
            known = sync_of(writing, call.caller.device_id)
            known.shows_tokens, known.registered_at, known.reset_at = False, None, call.house.now()
            start_anew(writing, call.caller.device_id, call.house.now())
            return known
    return kept


def _ends_a_run(session: Session, call: Call, checkpoint_id: int) -> bool:
    """Whether it is a token that the device keeps: those of the pages before the last it forgets with a broken run."""
    checkpoint = session.get(KoboCheckpoint, checkpoint_id)
    return checkpoint is not None and checkpoint.device_id == call.caller.device_id and not checkpoint.more
