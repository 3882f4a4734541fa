"""Obfuscated fonts. They are made readable here, because a browser lends its cryptography to HTTPS pages only.

EPUB Open Container Format 3.3, 4 "Font obfuscation"; the Adobe method is its undocumented older sister.
"""

import hashlib
import re
from itertools import cycle
from typing import Any

from appliance.epub.archive import MAX_MARKUP, Archive
from appliance.epub.errors import BookError
from appliance.epub.markup import local_name, parse_xml
from appliance.epub.package import ENCRYPTION, FONT_OBFUSCATION, Package, resolve

_IDPF, _ADOBE = FONT_OBFUSCATION
_IDPF_LENGTH, _ADOBE_LENGTH = 1040, 1024  # bytes that are obfuscated
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def font_masks(archive: Archive, package: Package) -> dict[str, bytes]:
    """For each obfuscated entry, the bytes to combine (XOR) with its beginning."""
    if ENCRYPTION not in archive:
        return {}
    try:
        root = parse_xml(archive.read(ENCRYPTION, MAX_MARKUP), f"“{ENCRYPTION}”", recover=True)
    except BookError:
        return {}
    keys = {_IDPF: (_idpf_key(package.root), _IDPF_LENGTH), _ADOBE: (_adobe_key(package.root), _ADOBE_LENGTH)}
    masks: dict[str, bytes] = {}
    for data in (element for element in root.iter() if local_name(element) == "EncryptedData"):
        algorithm = next((e.get("Algorithm") for e in data.iter() if local_name(e) == "EncryptionMethod"), None)
        key, length = keys.get(algorithm or "", (b"", 0))
        reference = next((e.get("URI") for e in data.iter() if local_name(e) == "CipherReference"), None)
        path = archive.find(resolve("", reference)) if reference else None
        if key and path:
            masks[path] = bytes(byte for byte, _ in zip(cycle(key), range(length), strict=False))
    return masks


def unmask(data: bytes, mask: bytes) -> bytes:
    """The beginning of a font (at least as long as the mask, or the whole font) made readable."""
    head = bytes(a ^ b for a, b in zip(data, mask, strict=False))
    return head + data[len(head) :]


def _identifiers(root: Any) -> list[Any]:
    return [element for element in root.iter() if local_name(element) == "identifier"]


def _idpf_key(root: Any) -> bytes:
    wanted = root.get("unique-identifier")
    found = _identifiers(root)
    chosen = next((e for e in found if e.get("id") == wanted), found[0] if found else None)
    text = re.sub(r"[ \t\r\n]", "", "".join(chosen.itertext())) if chosen is not None else ""
    return hashlib.sha1(text.encode(), usedforsecurity=False).digest()


def _adobe_key(root: Any) -> bytes:
    for element in _identifiers(root):
        if match := _UUID.search("".join(element.itertext())):
            return bytes.fromhex(match.group().replace("-", ""))
    return b""
