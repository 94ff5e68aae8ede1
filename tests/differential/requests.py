"""Requests as plain data, aimed at a described application, and the scopes they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.asgi import Ask
from tests.brief import Brief
from tests.differential.convertors import ARGUMENTS, VALUES
from tests.differential.tables import Choices, walk

PARAMETER = re.compile(r"\{([a-z])(?::([a-z]+))?\}")


@dataclass(frozen=True, repr=False)
class Lookup(Brief):
    """A call of `url_path_for` on the application (or router) itself."""

    name: Any
    params: tuple[tuple[str, Any], ...] = ()


METHODS = (
    *("GET",) * 16,
    *("POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY", "get", "Post", "", "BREW"),
)
HOST_HEADERS = (
    *("a.example", "A.EXAMPLE", "a.example:8000", "42.example", "b.example", "x-good.example"),
    *("[::1]", "[::1]:80", "example.org", "not a host", "", "a.example:x", None),
)
ROOTS: tuple[tuple[str, str], ...] = (
    # root_path, and what stands before the path
    *(("/root", "/root"), ("/root", ""), ("/ro", "/root"), ("/a", ""), ("/root/", "/root/")),
    *(("/é", "/é"), ("/a\n", "/a\n"), ("/root", "/rootless"), ("/root", "/root/root")),
)
EXTRAS: tuple[tuple[str, Any], ...] = (
    ("path_params", {"a": "old", "z": 1}),
    ("path_params", {}),
    ("app_root_path", "/above"),
    ("state", {"n": 1}),
    ("router", "somebody's"),
    ("app", "somebody's"),
    ("endpoint", "somebody's"),
    ("route", "somebody's"),
    ("starlette.exception_handlers", ({}, {})),
    ("extensions", {"websocket.http.response": {}}),
    ("type", "other"),
    ("server", None),
)
OPTIONAL = ("root_path", "query_string", "headers", "raw_path", "server", "asgi", "scheme")
STRAY = ("/", "", "/a", "/a/", "//", "/b/a", "/a\n", "/a/b", "a", "/nowhere", "/a//b", "/é", "/ü/")


def mutate(path: str, how: str) -> str:
    """A path near the one given."""
    match how:
        case "slash":
            return path + "/"
        case "slashes":
            return path + "//"
        case "bare":
            return path.rstrip("/")
        case "newline":
            return path + "\n"
        case "inner newline":
            return path[:1] + "\n" + path[1:]
        case "upper":
            return path.upper()
        case "double":
            return path.replace("/", "//", 1)
        case "shorter":
            return path.rpartition("/")[0]
        case "longer":
            return path + "/a"
        case "encoded":
            return path.replace("a", "%61")
    return path


MUTATIONS = (
    *("",) * 24,
    *("slash", "slash", "bare", "slashes", "newline", "inner newline", "upper", "double"),
    *("shorter", "longer", "encoded"),
)


def aimed_path(choose: Choices, templates: list[str]) -> str:
    """A path that some route of the table has reason to match, or narrowly not."""
    if not templates or choose.seldom(16):
        return choose.of(STRAY)
    template = choose.of(templates)

    def value(found: re.Match[str]) -> str:
        values = VALUES.get(found.group(2) or "str", VALUES["int"])
        return choose.of(values[:1] * 10 + values)

    return mutate(PARAMETER.sub(value, template), choose.of(MUTATIONS))


def ask(choose: Choices, templates: list[str]) -> Ask:
    """A request; one in three is unusual in some respect beside its path and method."""
    path = aimed_path(choose, templates)
    given: dict[str, Any] = {
        "path": path,
        "method": choose.of(METHODS),
        "type": choose.rarely(("websocket",), "http", 12),
    }
    match choose.number(0, 20):
        case 1:
            root, before = choose.of(ROOTS)
            given |= {"path": before + path, "extra": (("root_path", root),)}
        case 2:
            given["without"] = (choose.of(OPTIONAL),)
        case 3:
            given["extra"] = (choose.of(EXTRAS),)
        case 4 | 5:
            given["host"] = choose.of(HOST_HEADERS)
        case 6:
            given["query"] = choose.of((b"pick", b"a=1&a=%20", b"pick&x", b"\xff", b"="))
        case 7:
            given["body"] = choose.of(((b"1234",), (b"12", b"34"), (b"{}",), ()))
            length = choose.of((None, b"4", b"200", b"x"))
            given["headers"] = () if length is None else ((b"content-length", length),)
        case 8:
            given["path"] = choose.of(STRAY)
        case _:
            pass
    return Ask(**given)


def lookup(choose: Choices, described: Any) -> Lookup:
    """A name that is in the table, or nearly, with parameters that suit it, or nearly."""
    known = [(template, name) for template, name, _ in walk(described)]
    template, name = choose.of([*known, ("/{a}", "one"), ("", "m:one"), ("", "")])
    params: dict[str, Any] = {}
    for found in PARAMETER.finditer(template):
        suitable = VALUES.get(found.group(2) or "str", ("42",))[0]
        params[found.group(1)] = choose.of((suitable, suitable, suitable, suitable, *ARGUMENTS))
    match choose.number(0, 12):
        case 1:
            params["path"] = choose.of(("/x", "y/z", "", 7))
        case 2 if params:
            del params[choose.of(sorted(params))]
        case 3:
            params["z"] = "more"
        case 4:
            name = choose.of((name + ":one", "m:" + name, name[1:], name + ":", ":"))
        case _:
            pass
    return Lookup(name, tuple(params.items()))


def asks(choose: Choices, described: Any, least: int = 1, most: int = 6) -> tuple[Ask, ...]:
    """Requests, one after the other."""
    templates = [template for template, _, _ in walk(described)]
    found: list[Ask] = []
    for _ in range(choose.number(least, most)):
        again = found and choose.seldom(4)
        found.append(choose.of(found) if again else ask(choose, templates))
    return tuple(found)
