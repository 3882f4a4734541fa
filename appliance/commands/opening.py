"""The house as a command needs it: settings loaded, database up to date, closed at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from appliance import settings
from appliance.commands.failure import Failure, Options

if TYPE_CHECKING:
    from appliance.house import House


@contextmanager
def opened_house(options: Options) -> "Iterator[House]":
    """The house by the command's options. What can go wrong with its folder or database, and what a command does with
    people and devices that cannot be done, becomes a `Failure`."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

    from appliance.accounts.errors import AccountError
    from appliance.house import open_house
    from appliance.migrations import Downgrade
    from appliance.operations.errors import OperationError

    loaded = settings.load(options)
    try:
        house = open_house(loaded)
    except Downgrade as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(
            f"The data folder {loaded.data} cannot be used: {error.strerror}. Make it writable for this user, or name"
            " another with --data."
        ) from None
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise Failure(
            "The database URL is none that Bookwake knows. Leave it out for SQLite, or give one that begins with"
            " postgresql:// (and install the extra “postgresql”).",
            misuse=True,
        ) from None
    except OperationalError as error:
        raise Failure(f"The database cannot be opened: {error.orig}. Check that it is there and writable.") from None
    try:
        yield house
    except AccountError as error:
        raise Failure(str(error)) from None
    except OperationError as error:
        raise Failure(f"{error} {error.remedy}".strip()) from None
    finally:
        house.shelf.close()
        house.database.close()
