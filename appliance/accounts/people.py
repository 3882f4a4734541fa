"""The people of the household: add, find, list, prove who signs in."""

import unicodedata

from sqlmodel import Session, select

from appliance.accounts import passwords
from appliance.accounts.errors import AccountError
from appliance.house import House
from appliance.models import User

LONGEST_NAME = 64


def name_key(name: str) -> str:
    """The form in which names are compared: no two people differ only in case or in how an accent is encoded."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def checked_name(name: str, what: str = "name") -> str:
    """The name as it is kept. Raises `AccountError` for one that is empty, too long or holds control characters."""
    name = " ".join(name.split())
    if not name:
        raise AccountError(f"The {what} is empty. Type one.")
    if len(name) > LONGEST_NAME:
        raise AccountError(f"The {what} is too long. Choose one with at most {LONGEST_NAME} characters.")
    if not name.isprintable():
        raise AccountError(f"The {what} holds characters that cannot be shown. Choose one without them.")
    return name


def add_person(house: House, name: str, password: str, is_admin: bool = False, only_first: bool = False) -> User:
    """Add a person, in a transaction of its own (hashing the password before it begins).

    `only_first`: refuse when there is somebody already. Raises `AccountError`.
    """
    name = checked_name(name)
    passwords.check(password)
    password_hash = passwords.hash_password(password)
    user = User(
        name=name, name_key=name_key(name), password_hash=password_hash, is_admin=is_admin, created_at=house.now()
    )
    with house.database.write() as session:
        if only_first and somebody(session):
            raise AccountError("Bookwake is set up already. Sign in instead.")
        if by_name(session, name) is not None:
            raise AccountError(f"There is already a person called “{name}”. Choose another name.")
        session.add(user)
    return user


def somebody(session: Session) -> bool:
    """Whether there is any person yet."""
    return session.exec(select(User.id).limit(1)).first() is not None


def by_name(session: Session, name: str) -> User | None:
    """The person of that name, in whatever case it is written."""
    return session.exec(select(User).where(User.name_key == name_key(name))).first()


def everybody(session: Session) -> list[User]:
    """All people, in order of name."""
    return list(session.exec(select(User).order_by(User.name_key)))


def authenticate(house: House, name: str, password: str) -> User | None:
    """The person whose name and password these are, `None` otherwise. Slow on purpose: run it in a thread."""
    with house.database.read() as session:
        user = by_name(session, name)
    return user if passwords.is_right(user.password_hash if user else None, password) else None


def change_password(house: House, user_id: int, password: str) -> None:
    """Give a person another password. Raises `AccountError`."""
    passwords.check(password)
    password_hash = passwords.hash_password(password)
    with house.database.write() as session:
        session.get_one(User, user_id).password_hash = password_hash
