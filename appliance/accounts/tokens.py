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
