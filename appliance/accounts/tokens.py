"""Secrets: made at random, shown once, stored as hashes.

The tokens are random with at least 128 bits, so a plain SHA-256 is enough for them; passwords, which people choose,
get Argon2 (`passwords.py`).
"""

import hashlib
import secrets


def new_token() -> str:
    """32 lower-case hex digits (128 random bits), safe in a URL."""
    return secrets.token_hex(16)


def hash_token(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_code() -> str:
    """A code for people to type, `K7MW-2QTX-9RHA`: 12 characters without look-alikes, 60 random bits. It needs a limit
    on attempts and an end."""
    letters = "".join(secrets.choice(_TYPEABLE) for _ in range(12))
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def new_short_code() -> str:
    """A code for people to type within minutes, `K7MW2Q`: 6 characters without look-alikes, 30 random bits. It needs a
    limit on attempts and an end that is near."""
    return "".join(secrets.choice(_TYPEABLE) for _ in range(6))


def plain_code(typed: str) -> str:
    """A typed code without what does not matter: case, spaces and dashes."""
    return "".join(character for character in typed.upper() if character.isalnum())


def new_typeable_password() -> str:
    """A password for the keyboard of an e-reader: 14 lower-case letters without look-alikes, 63 random bits."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(14))


_TYPEABLE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
