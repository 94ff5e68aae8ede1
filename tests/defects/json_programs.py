"""Programs about what the standard library says in JSON."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

from tests.defects.answer_programs import serving
from tests.defects.program import program
from tests.fast_path.serving import Names, get, post


class Text(str):
    """A string of somebody's own."""


class Pairs(list):  # type: ignore[type-arg]
    """A list that iterates in its own way."""

    def __iter__(self) -> Any:
        return iter(["own"] * len(self))


def _moved() -> Any:
    """A dict whose order is not that of its insertions."""
    moved = OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    return moved


CONTENTS: list[Any] = [
    {"a": 1, "b": [1.5, None, True], "c": "ä\u2028<>"},
    {"nan": float("nan")},
    [float("inf")],
    {"deep": [{"list": [-float("inf")]}] * 3},
    {None: 1, True: 2, 3: 4},
    {Text("key"): Text("value")},
    [2**70, -(2**63), -1, 0],
    "\ud800",
    {"many": list(range(300)), "nan": [float("nan")]},
    {str(number): number / 2 for number in range(20)},
    "x" * 2000,
    object(),
    (1, (2, [3])),
    _moved(),
    Pairs([1, 2]),
    {"nested": [{"pairs": Pairs([1])}, _moved()]},
    None,
]


@program
def json_of_responses(names: Names) -> Any:
    """What the standard library encodes, and what it refuses, in the same words."""
    app = serving(names, lambda request: names.JSONResponse(CONTENTS[int(request.url.query)]))
    known = [number for number, content in enumerate(CONTENTS) if type(content) is not object]
    return app, [get("/", query=b"%d" % number) for number in known]


@program
def json_of_requests(names: Names) -> Any:
    """What the standard library decodes, and what it refuses."""

    async def answer(request: Any) -> Any:
        first = await request.json()
        return names.PlainTextResponse(f"{first!r} {(await request.json()) is first}")

    bodies = [
        b'{"a": [1, 2.5, null, true, "\\u00e4"]}',
        b"[NaN, Infinity, -Infinity]",
        b"[1e400, 1E5, -0.0]",
        b'{"a": 1, "a": 2}',
        b"\xef\xbb\xbf{}",
        "[1]".encode("utf-16"),
        b'"\\ud800"',
        b"[1,]",
        b"",
        b"{} x",
        b"\xff",
    ]
    return serving(names, answer), [post("/", body) for body in bodies]


@program
def customised_json(names: Names) -> Any:
    """Who changes how the standard library encodes and decodes is heard."""

    async def answer(request: Any) -> Any:
        odd = object() if request.url.query else None
        return names.JSONResponse({"got": await request.json(), "odd": odd})

    import starlette.requests
    import starlette.responses

    class Module:
        def dumps(self, content: Any, **how: Any) -> str:
            return "<" + json.dumps(content) + ">"

        def loads(self, data: bytes) -> Any:
            return ["loaded", json.loads(data)]

    before = json.JSONEncoder.default

    def default(self: Any, value: Any) -> Any:
        return "of the encoder"

    def change() -> None:
        starlette.responses.json = starlette.requests.json = Module()  # type: ignore[attr-defined, assignment]

    def restore() -> None:
        starlette.responses.json = starlette.requests.json = json  # type: ignore[attr-defined]
        json.JSONEncoder.default = default  # type: ignore[method-assign]

    def end() -> None:
        json.JSONEncoder.default = before  # type: ignore[method-assign]

    asks = [post("/", b'{"a": 1}')] * 2
    odd = post("/", b'{"a": 1}', query=b"odd")
    return serving(names, answer), [*asks, change, *asks, restore, odd, *asks, end, *asks]
