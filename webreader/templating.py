"""Templates, and the files that pages and reader load: served under a name that changes when any of them changes."""

import functools
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.datastructures import CacheControlHeader
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.router import Router
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

HERE = Path(__file__).parent
STATIC = HERE / "static"


def page_templates() -> TemplateConfig[JinjaTemplateEngine]:
    """Jinja with everything escaped, and a name that is missing from the context an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["static"] = static_url
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


@functools.cache
def build_id() -> str:
    """Names the static files by what is in them."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(file: str) -> str:
    """Where a file of `static/` is served."""
    return f"/static/{build_id()}/{file}"


def static_files() -> Router:
    """The static files. Litestar never answers 304, so they are kept by browsers for ever."""
    return create_static_files_router(
        path=f"/static/{build_id()}",
        directories=[STATIC],
        cache_control=CacheControlHeader(public=True, max_age=31536000, immutable=True),
        opt={"access": "public", "exclude_from_csrf": True},
    )
