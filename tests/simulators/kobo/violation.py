"""What a real Kobo would suffer from, and the shapes it expects."""

import re
from typing import Any

TIME = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENTITLEMENT = {
    "Accessibility": str,
    "ActivePeriod": dict,
    "Created": str,
    "CrossRevisionId": str,
    "Id": str,
    "IsHiddenFromArchive": bool,
    "IsLocked": bool,
    "IsRemoved": bool,
    "LastModified": str,
    "OriginCategory": str,
    "RevisionId": str,
    "Status": str,
}
METADATA = {
    "EntitlementId": str,
    "RevisionId": str,
    "CrossRevisionId": str,
    "WorkId": str,
    "Title": str,
    "Contributors": list,
    "ContributorRoles": list,
    "Publisher": dict,
    "Language": str,
    "CoverImageId": str,
    "DownloadUrls": list,
    "Categories": list,
    "Genre": str,
    "CurrentDisplayPrice": dict,
    "CurrentLoveDisplayPrice": dict,
    "ExternalIds": list,
    "PhoneticPronunciations": dict,
    "IsEligibleForKoboLove": bool,
    "IsInternetArchive": bool,
    "IsPreOrder": bool,
    "IsSocialEnabled": bool,
}
STATE = {
    "EntitlementId": str,
    "Created": str,
    "LastModified": str,
    "PriorityTimestamp": str,
    "StatusInfo": dict,
    "Statistics": dict,
    "CurrentBookmark": dict,
}


class Violation(AssertionError):
    """The server did what a real Kobo must not meet; the text says what would happen to its owner."""


def check(condition: object, text: str) -> None:
    """Raise `Violation` unless `condition` holds."""
    if not condition:
        raise Violation(text)


def check_entitlement(value: dict[str, Any]) -> None:
    """4.5: every field, one id everywhere, times with a Z."""
    _check_fields("BookEntitlement", value, ENTITLEMENT)
    ids = {value["Id"], value["RevisionId"], value["CrossRevisionId"]}
    check(len(ids) == 1 and UUID.fullmatch(value["Id"]), f"a book needs one UUID, not {ids}")
    for time in (value["Created"], value["LastModified"], value["ActivePeriod"].get("From")):
        check_time(time)
    check(value["Accessibility"] == "Full", f"accessibility {value['Accessibility']!r} makes a book a sample")


def check_metadata(value: dict[str, Any]) -> None:
    """4.6: every field, one URL with the path token."""
    _check_fields("BookMetadata", value, METADATA)
    ids = {value[name] for name in ("EntitlementId", "RevisionId", "CrossRevisionId", "WorkId")}
    check(len(ids) == 1, f"the metadata names several ids: {ids}")
    check(value["Title"] and value["CoverImageId"], "a book without title or cover id")
    check(value.get("Description") != "", "an empty description would not replace an old one")
    check(len(value["DownloadUrls"]) == 1, "of two URLs the device may take the one without spans")
    url = value["DownloadUrls"][0]
    check(url["Format"] in ("KEPUB", "EPUB3", "EPUB", "EPUB3FL"), f"the device does not sync format {url['Format']}")
    check(url["Url"].startswith(("http://", "https://")), f"the URL {url['Url']} is not absolute")
    check(isinstance(url["Size"], int) and url["Size"] > 0, "a book without a size is stored with ___FileSize=0")
    if "Series" in value:
        check(isinstance(value["Series"]["Number"], str), "Series.Number must be a string")
        check(isinstance(value["Series"]["NumberFloat"], int | float), "Series.NumberFloat must be a number")
    if "PublicationDate" in value:
        check_time(value["PublicationDate"])


def check_state(value: dict[str, Any], id: str) -> None:
    """5.3, 5.4: every section with its time, whole percents as integers."""
    _check_fields("ReadingState", value, STATE)
    check(value["EntitlementId"] == id, f"the state of {id} names {value['EntitlementId']}")
    for section in (value, value["StatusInfo"], value["Statistics"], value["CurrentBookmark"]):
        check_time(section.get("LastModified"))
    check_time(value["PriorityTimestamp"])
    check(value["StatusInfo"].get("Status") in ("ReadyToRead", "Reading", "Finished"), "unknown status")
    for name in ("ProgressPercent", "ContentSourceProgressPercent"):
        percent = value["CurrentBookmark"].get(name)
        whole = percent is None or (isinstance(percent, int) and not isinstance(percent, bool) and 0 <= percent <= 100)
        check(whole, f"{name} is {percent!r}; the device takes any float for another place")


def check_time(text: object) -> None:
    """1.2: whole seconds, UTC, `Z`."""
    check(isinstance(text, str) and TIME.fullmatch(text), f"{text!r} is not a time that a Kobo reads reliably")


def _check_fields(name: str, value: object, fields: dict[str, type]) -> None:
    check(isinstance(value, dict), f"{name} is not an object")
    assert isinstance(value, dict)
    for field, kind in fields.items():
        check(isinstance(value.get(field), kind), f"{name}.{field} is {value.get(field)!r}, not a {kind.__name__}")
