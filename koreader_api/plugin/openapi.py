"""The OpenAPI description of the protocol, made from the shapes that the handlers take and give."""

import re
from functools import cache
from types import UnionType
from typing import Any, get_args

import msgspec

from appliance import __version__
from koreader_api.plugin import sync_wire, wire
from koreader_api.plugin.call import FileAnswer
from koreader_api.plugin.contents import ENDPOINTS, PREFIX, Endpoint
from koreader_api.plugin.sync import KINDS

_RAW = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    shapes = {shape for endpoint in ENDPOINTS for shape in (*_shapes(endpoint.takes), *_shapes(endpoint.gives))}
    # Operations and annotations are judged one by one, so that no shape of a body names theirs.
    judged = {kind.said for kind in KINDS.values()} | {sync_wire.AnnotationSaid, sync_wire.DeletionSaid, wire.Row}
    ordered = sorted({*shapes, *judged, wire.Error}, key=lambda shape: str(shape.__name__))
    schemas, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    references = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", PREFIX + endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, path, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bookwake, the protocol of its KOReader plugin", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": _without_null(components),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, path: str, references: dict[Any, Any]) -> dict[str, Any]:
    summary = " ".join((endpoint.handle.__doc__ or "").split("\n\n")[0].split())
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', endpoint.path)}",
        "summary": summary,
        "security": [{"token": []}] if endpoint.access == "plugin" else [],
        "responses": {
            "200": {"description": "Done.", "content": _content(endpoint.gives, references)},
            "default": {"description": "Refused.", "content": _content(wire.Error, references)},
        },
    }
    names = re.findall(r"\{(\w+)\}", path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if endpoint.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(endpoint.takes, references)}
    return operation


def _content(kind: Any, references: dict[Any, Any]) -> dict[str, Any]:
    shapes = _shapes(kind)
    if not shapes:
        return _RAW
    schemas = [references[shape] for shape in shapes]
    return {"application/json": {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}}


def _shapes(kind: Any) -> list[Any]:
    """The shapes among the types of a body or an answer."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return [each for each in kinds if each not in (None, bytes, FileAnswer) and isinstance(each, type)]


def _without_null(schema: Any) -> Any:
    """`null` is never sent: what may be `None` here is left out there."""
    if isinstance(schema, list):
        return [_without_null(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {name: _without_null(each) for name, each in schema.items() if not (name == "default" and each is None)}
    if "anyOf" in tidy:
        kinds = [each for each in tidy.pop("anyOf") if each != {"type": "null"}]
        tidy |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return tidy
