"""What can be wrong with an account or a device; the text says what, why and what to do."""


class AccountError(Exception):
    """The request about a person or device cannot be carried out."""
