"""SQLModel tables, one file per aggregate. Importing this package registers them all."""

from appliance.models.accounts import Device, User, WebSession
from appliance.models.annotation import Annotation, BookState, DeviceAnnotation, DeviceState, Feed
from appliance.models.delivery import KoboCheckpoint, KoboDelivery, KoboEntitlement
from appliance.models.kobo_notes import KoboNotePage, KoboNotes
from appliance.models.kobo_store import KoboStore
from appliance.models.koreader import FileLink, Pairing, RefusedOffer, SidecarBackup
from appliance.models.library import Book, Digest, LibraryFile, Rendition
from appliance.models.operations import Setting, SweepRun
from appliance.models.reading import DeviceProgress, JournalEntry, Progress
from appliance.models.reading_time import ReadDocument, ReadingEvent, ReadingSession
from appliance.models.shelf import BookShelf, KoboChoice, KoboSync, KoboTag, ShelvedBook

__all__ = [
    "Annotation",
    "Book",
    "BookShelf",
    "BookState",
    "Device",
    "DeviceAnnotation",
    "DeviceProgress",
    "DeviceState",
    "Digest",
    "Feed",
    "FileLink",
    "JournalEntry",
    "KoboCheckpoint",
    "KoboChoice",
    "KoboDelivery",
    "KoboEntitlement",
    "KoboNotePage",
    "KoboNotes",
    "KoboStore",
    "KoboSync",
    "KoboTag",
    "LibraryFile",
    "Pairing",
    "Progress",
    "ReadDocument",
    "ReadingEvent",
    "ReadingSession",
    "RefusedOffer",
    "Rendition",
    "Setting",
    "ShelvedBook",
    "SidecarBackup",
    "SweepRun",
    "User",
    "WebSession",
]
