"""SQLModel tables, one file per aggregate. Importing this package registers them all."""

from appliance.models.accounts import Device, EnrolmentCode, User, WebSession
from appliance.models.annotation import Annotation, BookState, DeviceAnnotation, DeviceState, Feed
from appliance.models.delivery import KoboCheckpoint, KoboDelivery, KoboEntitlement
from appliance.models.library import Book, Digest, LibraryFile, Rendition
from appliance.models.operations import Setting, SweepRun
from appliance.models.reading import DeviceProgress, JournalEntry, Progress
from appliance.models.reading_time import ReadDocument, ReadingEvent, ReadingSession

__all__ = [
    "Annotation",
    "Book",
    "BookState",
    "Device",
    "DeviceAnnotation",
    "DeviceProgress",
    "DeviceState",
    "Digest",
    "EnrolmentCode",
    "Feed",
    "JournalEntry",
    "KoboCheckpoint",
    "KoboDelivery",
    "KoboEntitlement",
    "LibraryFile",
    "Progress",
    "ReadDocument",
    "ReadingEvent",
    "ReadingSession",
    "Rendition",
    "Setting",
    "SweepRun",
    "User",
    "WebSession",
]
