"""One rendition as its entries are served: what the package document says of each, kept for the books read last."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from appliance.epub.archive import Archive
from appliance.epub.package import Package, read_package
from webreader.fonts import font_masks


@dataclass(frozen=True, slots=True)
class Publication:
    """`types`: declared media type by entry name. `masks`: see `font_masks`. `direction`: page progression, "ltr",
    "rtl" or empty. `fixed`: whether the pages have a fixed layout. `spreads`: by spine ordinal, on which side of a
    spread a fixed page belongs."""

    types: dict[str, str]
    masks: dict[str, bytes]
    direction: str
    fixed: bool
    spreads: dict[int, str]


@lru_cache(maxsize=8)
def publication(path: Path, _sha256: str) -> Publication:
    """What must be known of the file to serve its parts. Raises `BookError`, `OSError`."""
    with Archive(path) as archive:
        package = read_package(archive)
        spine = package.root.find("{*}spine")
        direction = (spine.get("page-progression-direction") or "") if spine is not None else ""
        return Publication(
            types={item.path: item.media_type for item in package.items.values() if item.exists},
            masks=font_masks(archive, package),
            direction=direction if direction in ("ltr", "rtl") else "",
            fixed=_is_fixed(package),
            spreads=_spreads(package),
        )


def _is_fixed(package: Package) -> bool:
    return any(
        meta.get("property") == "rendition:layout" and (meta.text or "").strip() == "pre-paginated"
        for meta in package.root.iterfind("{*}metadata/{*}meta")
    )


def _spreads(package: Package) -> dict[int, str]:
    spreads: dict[int, str] = {}
    for ordinal, itemref in enumerate(package.root.iterfind("{*}spine/{*}itemref")):
        for word in (itemref.get("properties") or "").split():
            side = word.removeprefix("rendition:").removeprefix("page-spread-")
            if side in ("left", "right", "center") and "page-spread-" in word:
                spreads[ordinal] = side
    return spreads
