"""The one-time code that proves that whoever creates the first person can see the console or log of the machine."""

from hmac import compare_digest

from sqlmodel import Session

from appliance.accounts import people
from appliance.accounts.tokens import hash_token, new_code, plain_code
from appliance.house import House
from appliance.models import Setting

_KEY = "setup_code_hash"


def renew(house: House) -> str | None:
    """A fresh code in place of the one before; `None` when there are people already, and any code ends."""
    with house.database.write() as session:
        setting = session.get(Setting, _KEY)
        if people.somebody(session):
            if setting is not None:
                session.delete(setting)
            return None
        code = new_code()
        value = hash_token(plain_code(code))
        if setting is None:
            session.add(Setting(key=_KEY, value=value))
        else:
            setting.value = value
        return code


def is_right(session: Session, code: str) -> bool:
    """Whether this is the code shown last, however it is typed (case, spaces, dashes)."""
    setting = session.get(Setting, _KEY)
    return setting is not None and compare_digest(setting.value, hash_token(plain_code(code)))
