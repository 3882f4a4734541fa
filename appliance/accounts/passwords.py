"""Passwords that people choose: Argon2id, sized for a Raspberry Pi (docs: 19 MiB, two passes, one lane).

A hash takes tens of milliseconds and 19 MiB, so callers run this in a thread and a lock lets one through at a time:
a crowd at the sign-in page must not take the memory of a small machine.
"""

import threading

from appliance.accounts.errors import AccountError

SHORTEST = 8
LONGEST = 1024

_turn = threading.Lock()


def check(password: str) -> None:
    """Raises `AccountError` for a password that is too short or absurdly long."""
    if len(password) < SHORTEST:
        raise AccountError(f"The password is too short. Choose one with at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise AccountError(f"The password is too long. Choose one with at most {LONGEST} characters.")


def hash_password(password: str) -> str:
    """What is stored of a password, salt and cost included."""
    from argon2 import PasswordHasher  # only sign-in needs it

    with _turn:
        return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. For `None` (no such person) it is false after the same work, so that
    the time of the answer does not tell who has an account."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > LONGEST:
        return False
    with _turn:
        try:
            return PasswordHasher().verify(password_hash or _NOBODY, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


# The hash of a random password that nobody kept, with the costs of `hash_password`.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$E9A9KtqoiqvvNKUbRSuk1g$U2cpCDS7GHu/wZEwJa3R6PQcDNw0IiMLZmAkpzZfAa4"
