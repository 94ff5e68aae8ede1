"""Lists of raw headers, read and changed as Starlette's ``Headers`` and ``MutableHeaders`` do."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from starlette.datastructures import Headers, MutableHeaders

__all__ = ["CHANGED", "READ", "RawHeaders", "add_vary", "names_in", "remove", "replace"]

RawHeaders = list[tuple[bytes, bytes]]

#: The methods bypassed where raw headers are read, and where they are changed.
READ = tuple((Headers, name) for name in ("__init__", "__getitem__", "__contains__", "getlist"))
CHANGED = (
    *READ,
    *((MutableHeaders, name) for name in ("__init__", "__setitem__", "__delitem__", "getlist")),
    *((MutableHeaders, name) for name in ("append", "update", "add_vary_header")),
)


def names_in(module: ModuleType, *names: str) -> list[tuple[Any, str, str]]:
    """Which classes of ``starlette.datastructures`` a module must know by their names."""
    return [
        (Headers, "get", "collections.abc:Mapping.get"),
        *((module, name, f"starlette.datastructures:{name}") for name in names),
    ]


def replace(headers: RawHeaders, name: bytes, value: bytes) -> None:
    """Set a header: in the place of the first of that name, and instead of all; or at the end."""
    places = [place for place, header in enumerate(headers) if header[0] == name]
    if not places:
        headers.append((name, value))
        return
    for place in reversed(places[1:]):
        del headers[place]
    headers[places[0]] = (name, value)


def remove(headers: RawHeaders, name: bytes) -> None:
    """Remove all headers of that name."""
    for place in reversed(range(len(headers))):
        if headers[place][0] == name:
            del headers[place]


def add_vary(headers: RawHeaders, header: tuple[bytes, bytes]) -> None:
    """Add to what the answer varies by; `header` says it where there is no such header yet."""
    for name, _ in headers:
        if name == b"vary":
            break
    else:
        headers.append(header)
        return
    values = [value.decode("latin-1") for name, value in headers if name == b"vary"]
    joined = ", ".join([*values, header[1].decode("latin-1")])
    replace(headers, b"vary", joined.encode("latin-1"))
