"""URLs of requests and of routes, written down without being taken apart first.

Only what is plainly a URL is written here: a host header that Starlette accepts, a path that
``urlsplit`` would leave in one piece. For anything else Starlette is asked.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import starlette.datastructures as stock
from starlette._utils import parse_host_header
from starlette.datastructures import URL, URLPath
from starlette.types import Scope

from turbostar._guard.classes import namespace

__all__ = ["url_of_path", "url_of_scope"]

late: Any = stock  # for names that are looked up when they are used, as stock does

_new = object.__new__
_url = namespace(URL)
_path = namespace(URLPath)
_stock_init = URL.__init__
_stock_replace = URL.replace
# What `make_absolute_url` reads of the base.
_stock_components, _stock_netloc, _stock_path = _url["components"], _url["netloc"], _url["path"]
_stock_scheme, _stock_is_secure = _url["scheme"], _url["is_secure"]
_stock_make_absolute_url = URLPath.make_absolute_url

# Who asks chooses the host: what is remembered of it is bounded in number and length.
_LONGEST = 255
_SCHEMES = {
    ("http", False): "http",
    ("http", True): "https",
    ("websocket", False): "ws",
    ("websocket", True): "wss",
}

_plain_base = re.compile(
    r"(?P<scheme>https?|wss?)://(?P<netloc>[a-zA-Z0-9.-]+(?::[0-9]+)?)(?P<path>/[!-\"$->@-~]*)?"
).fullmatch
_plain_path = re.compile(r"/(?:[!-\"$-.0->@-~][!-\"$->@-~]*)?").fullmatch


def url_of_scope(scope: Scope, path: str, query: bytes) -> URL | None:
    """Return what ``URL(scope=scope)`` does, with another path and query; None to ask that.

    Args:
        scope: of the request.
        path: begins with a slash, or is empty.
        query: the query string.
    """
    headers = scope["headers"]
    if type(headers) is not list and type(headers) is not tuple:
        return None  # it may be one that can be looked through but once
    scheme = scope.get("scheme", "http")
    host: Any = None
    for name, value in headers:
        if name == b"host":
            host = value
            break
    if (
        type(host) is not bytes
        or len(host) > _LONGEST
        or type(scheme) is not str
        or not scheme
        or type(path) is not str
        or (path and path[0] != "/")
        or type(query) is not bytes
        or _url["__init__"] is not _stock_init
        or late.parse_host_header is not parse_host_header
    ):
        return None
    authority = _authority(host)
    if authority is None:
        return None
    if "?" in path or "#" in path or "\\" in path:
        path = path.replace("?", "%3F").replace("#", "%23").replace("\\", "%5C")
    url = _new(URL)
    url._url = f"{scheme}://{authority}{path}"
    if query:
        url._url += f"?{query.decode()}"
    return url


@functools.lru_cache(maxsize=256)
def _authority(host: bytes) -> str | None:
    parsed = parse_host_header(host.decode("latin-1"))
    return parsed.authority if parsed is not None and parsed.is_valid_port else None


def url_of_path(path: URLPath, base: URL) -> URL | None:
    """Return what ``path.make_absolute_url(base)`` does; None where that must be asked."""
    if (
        type(path) is not URLPath
        or type(base) is not URL
        or late.URL is not URL
        or path.host
        or _plain_path(path) is None
        or _path["make_absolute_url"] is not _stock_make_absolute_url
        or _url["__init__"] is not _stock_init
        or _url["replace"] is not _stock_replace
        or _url["components"] is not _stock_components
        or _url["netloc"] is not _stock_netloc
        or _url["path"] is not _stock_path
        or _url["scheme"] is not _stock_scheme
        or _url["is_secure"] is not _stock_is_secure
    ):
        return None
    parts = _parts(base._url) if len(base._url) <= 2 * _LONGEST else None
    if parts is None:
        return None
    scheme, rest = parts
    if path.protocol:
        scheme = _SCHEMES[path.protocol, scheme in ("https", "wss")]
    url = _new(URL)
    url._url = f"{scheme}://{rest}{path}"
    return url


@functools.lru_cache(maxsize=256)
def _parts(base: str) -> tuple[str, str] | None:
    """The scheme of a base URL, and what stands between that and a path put below it."""
    found = _plain_base(base)
    if found is None:
        return None
    return found["scheme"], found["netloc"] + (found["path"] or "").rstrip("/")
