"""What can go wrong with looking after the appliance, in a sentence a person can act on."""


class OperationError(Exception):
    """Something could not be done and everything is as it was. `str(error)` says what and why; `remedy` what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class BackupFailed(OperationError):
    """No backup was made; the older ones are untouched."""


class RestoreRefused(OperationError):
    """The backup was not restored; the database is untouched."""
