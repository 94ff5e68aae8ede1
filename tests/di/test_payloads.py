"""Bodies and queries: decoded, or refused with the place and the reason."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import decimal
import enum
import json
import numbers
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Generic, NewType, NotRequired, Protocol, TypedDict, TypeVar

import attrs
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from turbostar.di import Body, Container, ParameterMismatch, Query, WiringErrors
from turbostar.di.payloads import ValidationError


class Line(msgspec.Struct):
    product: int
    count: int = 1


class Order(msgspec.Struct, rename="camel"):
    customer_name: str
    lines: list[Line]
    notes: dict[str, str] = {}


class Page(msgspec.Struct):
    number: int = 1
    tags: list[str] = []


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Named(TypedDict):
    name: str


async def order(order: Body[Order], page: Query[Page]) -> Response:
    return JSONResponse([msgspec.to_builtins(order), page.number, page.tags])


async def point(point: Body[Point]) -> Response:
    return JSONResponse([point.x, point.y])


async def named(named: Query[Named]) -> Response:
    return JSONResponse(named)


async def single(
    size: Query[int],
    word: Query[str | None],
    tags: Query[list[int]] = (),
    flag: Query[bool] = False,  # type: ignore[assignment]
) -> Response:
    return JSONResponse([size, word, list(tags), flag])


ROUTES = [
    Route("/order", order, methods=["POST"]),
    Route("/point", point, methods=["POST"]),
    Route("/named", named),
    Route("/single", single),
]


@pytest.fixture(params=["at the top", "mounted"])
def client(request: pytest.FixtureRequest) -> TestClient:
    app = Starlette(routes=[*ROUTES])
    if request.param == "mounted":
        app = Starlette(routes=[Mount("/", app)])
    di = Container()
    di.install(app, max_body_size=400)
    di.validate()
    return TestClient(app, raise_server_exceptions=False)


GOOD = {"customerName": "Ada", "lines": [{"product": 3}]}


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        (
            "POST",
            "/order?number=2&tags=a&tags=b&other=1&other=2",
            GOOD,
            [{**GOOD, "lines": [{"product": 3, "count": 1}], "notes": {}}, 2, ["a", "b"]],
        ),
        ("POST", "/point", {"x": 1}, [1.0, 0.0]),
        ("GET", "/named?name=Ada", None, {"name": "Ada"}),
        ("GET", "/single?size=3", None, [3, None, [], False]),
        ("GET", "/single?size=3&word=&tags=1&flag=true", None, [3, "", [1], True]),
    ],
)
def test_what_is_right_is_decoded(
    client: TestClient, method: str, path: str, body: Any, expected: Any
) -> None:
    """Structs, dataclasses, typed dicts, and single values."""
    answer = client.request(method, path, json=body)
    assert answer.status_code == 200
    assert answer.json() == expected


JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "places"),
    [
        ("/order", b"{", JSON, 400, ["body $"]),
        ("/order", b"", JSON, 400, ["body $"]),
        ("/order", b'"\xff"', JSON, 400, ["body $"]),
        ("/order", b"[" * 300, JSON, 400, ["body $"]),
        ("/order", b"a=1", TEXT, 415, ["body $"]),
        ("/order", b" " * 500, JSON, 413, ["body $"]),
        ("/order", b"[]", JSON, 422, ["body $"]),
        ("/order", b"{}", JSON, 422, ["body $.customerName", "body $.lines"]),
        (
            "/order",
            b'{"customerName": 1, "lines": [{"product": 1}, {"product": "x", "count": []}], '
            b'"notes": {"a": 1}}',
            JSON,
            422,
            [
                "body $.customerName",
                "body $.lines[1].product",
                "body $.lines[1].count",
                "body $.notes['a']",
            ],
        ),
        ("/point", b'{"x": "1", "y": null}', JSON, 422, ["body $.x", "body $.y"]),
    ],
)
def test_bodies_that_are_wrong(
    client: TestClient,
    path: str,
    content: bytes,
    headers: dict[str, str],
    status: int,
    places: list[str],
) -> None:
    """Each fault is told with its place and reason."""
    answer = client.post(path, content=content, headers=headers)
    assert answer.status_code == status
    assert [f"{each['in']} {each['path']}" for each in answer.json()["detail"]] == places
    assert all(each["reason"] for each in answer.json()["detail"])


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("/single", ["$.size"]),
        ("/single?size=x", ["$.size"]),
        ("/single?size=1&size=2", ["$.size"]),
        ("/single?size=1&tags=1&tags=x", ["$.tags[1]"]),
        ("/named", ["$.name"]),
        ("/named?name=a&name=b&name=c", ["$.name"]),
        ("/single?size=%ff", ["$.size"]),
    ],
)
def test_queries_that_are_wrong(client: TestClient, path: str, places: list[str]) -> None:
    """Missing, of another type, or given twice."""
    answer = client.get(path)
    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["detail"]] == places


def test_a_body_that_announces_nothing_is_measured(client: TestClient) -> None:
    """Chunks are counted as they come."""
    answer = client.post("/order", content=iter([b" " * 300] * 2), headers=JSON)
    assert answer.status_code == 413


def test_a_limited_body_can_be_read_again() -> None:
    """As where a handler looks at its bytes as well."""

    async def both(request: Request, point: Body[Point]) -> Response:
        return Response(await request.body())

    app = Starlette(routes=[Route("/", both, methods=["POST"])])
    Container().install(app, max_body_size=100)
    assert TestClient(app).post("/", content=b'{"x": 1}').content == b'{"x": 1}'


def test_the_answer_can_be_replaced() -> None:
    """By a handler for ValidationError."""

    async def own(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, ValidationError)
        return PlainTextResponse(str(exc), exc.status)

    app = Starlette(routes=[*ROUTES], exception_handlers={ValidationError: own})
    Container().install(app)
    answer = TestClient(app).get("/named")
    assert answer.text == "query $.name: missing"


def test_a_websocket_is_refused() -> None:
    """Where its query is wrong, before it is accepted."""

    async def chat(websocket: WebSocket, size: Query[int]) -> None:
        await websocket.accept()
        await websocket.send_json(size)
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", chat)])
    Container().install(app)
    client = TestClient(app)
    with client.websocket_connect("/?size=3") as websocket:
        assert websocket.receive_json() == 3
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/?size=x"):
        pass
    assert caught.value.code == 1008


def test_a_websocket_has_no_body() -> None:
    """Asking for one is a fault of the handler."""

    async def chat(order: Body[Order]) -> None: ...

    di = Container()
    di.install(Starlette(routes=[WebSocketRoute("/", chat)]))
    assert [type(each) for each in di.handler_faults] == [ParameterMismatch]


Positive = Annotated[int, msgspec.Meta(ge=1)]
Small = NewType("Small", Annotated[int, msgspec.Meta(le=9)])  # type: ignore[valid-newtype]
Names = Annotated[list[Annotated[str, msgspec.Meta(min_length=2)]], msgspec.Meta(max_length=2)]
T = TypeVar("T")


class Limited(msgspec.Struct):
    count: Positive
    names: Names = []


@attrs.define
class Filter:
    size: Positive
    words: list[str] = attrs.field(factory=list)


class Sparse(TypedDict):
    size: NotRequired[Positive]


class Color(enum.Enum):
    RED = "red"


class Boxed(msgspec.Struct, Generic[T]):
    value: T


class Sized(Protocol):
    size: int


class PlainClass:
    def __init__(self, x: int) -> None: ...


SEVEN, THREE = Filter(7), Point(3)


def client_of(*routes: Any, **options: Any) -> TestClient:
    app = Starlette(routes=routes)
    di = Container()
    di.install(app, **options)
    di.validate()
    return TestClient(app, raise_server_exceptions=False)


def posting(handler: Any, **options: Any) -> TestClient:
    return client_of(Route("/", handler, methods=["POST"]), **options)


def places(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["path"] for each in answer.json()["detail"]]


def test_constraints_of_queries_hold() -> None:
    """Those that are annotated at the type itself, by another name, or within."""

    async def show(
        size: Query[Positive],
        small: Query[Small] = 1,  # type: ignore[assignment]
        some: Query[Positive | None] = None,
        wrapped: Annotated[Query[int], msgspec.Meta(ge=1)] = 1,
        either: Query[Positive] | None = None,
        names: Query[Names] = (),  # type: ignore[assignment]
        many: Query[Sequence[Positive]] = (),
    ) -> Response:
        return JSONResponse([size, small, some, wrapped, either, list(names), list(many)])

    client = client_of(Route("/", show))
    assert client.get("/?size=1").json() == [1, 1, None, 1, None, [], []]
    right = "/?size=1&small=9&some=1&wrapped=1&either=3&names=ab&many=1&many=2"
    assert client.get(right).json() == [1, 9, 1, 1, 3, ["ab"], [1, 2]]
    assert places(client.get("/?size=0")) == ["$.size"]
    for name in ("small=10", "some=0", "wrapped=0", "either=0"):
        assert places(client.get(f"/?size=1&{name}")) == ["$." + name.partition("=")[0]]
    assert places(client.get("/?size=1&names=a&names=bc")) == ["$.names[0]"]
    assert places(client.get("/?size=1&names=ab&names=bc&names=cd")) == ["$.names"]
    assert places(client.get("/?size=1&many=0")) == ["$.many[0]"]


def test_constraints_of_bodies_hold() -> None:
    """At the type of the body, and in what it holds."""

    async def show(names: Body[Names]) -> Response:
        return JSONResponse(names)

    async def limited(value: Annotated[Body[dict[str, Limited]], msgspec.Meta(max_length=1)]):  # type: ignore[no-untyped-def]
        return JSONResponse(msgspec.to_builtins(value))

    client = client_of(
        Route("/", show, methods=["POST"]), Route("/limited", limited, methods=["POST"])
    )
    assert client.post("/", json=["ab"]).json() == ["ab"]
    assert places(client.post("/", json=["a", "ab"])) == ["$[0]"]
    assert places(client.post("/", json=["ab"] * 3)) == ["$"]
    wrong = {"x": {"count": 0, "names": ["a"]}}
    assert places(client.post("/limited", json=wrong)) == ["$['x'].count", "$['x'].names[0]"]
    right: Any = {"count": 1, "names": []}
    assert client.post("/limited", json={"x": right}).json() == {"x": right}
    assert places(client.post("/limited", json={"x": right, "y": right})) == ["$"]


def test_classes_of_attrs_and_typed_dicts() -> None:
    """They are taken as dataclasses and Structs are."""

    async def show(
        filter: Query[Filter], sparse: Query[Sparse], box: Query[Boxed[int] | None]
    ) -> Response:
        return JSONResponse([filter.size, filter.words, sparse, box and box.value])

    client = client_of(Route("/", show))
    assert client.get("/?size=3&words=a&words=b").json() == [3, ["a", "b"], {"size": 3}, None]
    assert client.get("/?size=3&value=7").json()[3] == 7
    assert places(client.get("/?words=a")) == ["$.size"]
    assert places(client.get("/?size=0")) == ["$.size"]
    assert places(client.get("/?size=1&value=x")) == ["$.value"]


def test_a_query_of_fields_may_be_left_out() -> None:
    """Where it is optional or has a default, and none of its fields is given."""

    async def show(
        limited: Query[Limited | None], sparse: Query[Filter] = SEVEN, other: Query[int] = 1
    ) -> Response:
        return JSONResponse([limited and limited.count, sparse.size, other])

    client = client_of(Route("/", show))
    assert client.get("/?other=2").json() == [None, 7, 2]
    assert client.get("/?count=2&size=3").json() == [2, 3, 1]
    assert places(client.get("/?names=ab")) == ["$.count"]


IMPOSSIBLE: list[tuple[Any, str]] = [
    (Body[PlainClass], "PlainClass"),
    (Body[PlainClass | None], "PlainClass"),
    (Body[list[PlainClass]], "PlainClass"),
    (Body[Sized], "Sized"),
    (Body[Boxed[PlainClass]], "PlainClass"),
    (Body[Line | Page], "union"),
    (Query[PlainClass], "PlainClass"),
    (Query[dict[str, int]], "no query string can hold"),
    (Query[list[Line]], "no query string can hold"),
    (Query[list[list[int]]], "no query string can hold"),
    (Query[Order], "field 'lines'"),
]


@pytest.mark.parametrize(("hint", "told"), IMPOSSIBLE)
def test_what_cannot_be_decoded_is_found_by_validate(hint: Any, told: str) -> None:
    """And not by the first who sends it."""

    async def show(value: Any) -> Response: ...

    show.__annotations__["value"] = hint
    di = Container()
    di.install(Starlette(routes=[Route("/", show, methods=["POST"])]))
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    (fault,) = caught.value.exceptions
    assert isinstance(fault, ParameterMismatch)
    assert "show (test_payloads.py:" in fault.cause
    assert told in fault.cause


@pytest.mark.parametrize(
    "hint", [datetime.date, Color, Any, object, int | None, tuple[int, str], numbers.Number]
)
def test_what_a_query_can_hold(hint: Any) -> None:
    """Everything that msgspec reads from a text."""

    async def show(value: Any = 1) -> Response:
        return Response()

    show.__annotations__["value"] = Query[hint]
    assert client_of(Route("/", show)).get("/").status_code == 200
    show.__annotations__["value"] = Body[hint]
    assert posting(show).post("/").status_code == 200


SCALARS = [int, float, bool, str, bytes, decimal.Decimal, uuid.UUID]
SCALARS += [datetime.datetime, datetime.date, datetime.time, datetime.timedelta]
TEXTS = ["", "x", "9" * 5_000, "1e999", "NaN", "%00", "%ff", "%ed%a0%80", "null", "P99999999999D"]
BODIES = [
    b"9" * 5_000,
    b"1e999",
    b"NaN",
    b'"\\ud800"',
    b'"\xed\xa0\x80"',
    b'"' + b"9" * 5_000 + b'"',
    b'"P99999999999999D"',
    b"[" * 5_000,
    b'{"a":1,"a":2}',
    b"\xff\xfe1\x00",
    b'"\\u0000"',
]


@pytest.mark.parametrize(
    "hint", [*SCALARS, Color, list[int], int | None, float | int | None, object]
)
def test_nothing_that_is_sent_is_an_error_of_ours(hint: Any) -> None:
    """Numbers and texts at the edge of what they may be, and beyond it."""

    async def show(value: Any) -> Response:
        return PlainTextResponse(ascii(value)[:100])

    show.__annotations__["value"] = Query[hint]
    client = client_of(Route("/", show))
    for text in TEXTS:
        assert client.get(f"/?value={text}").status_code in (200, 422)
    show.__annotations__["value"] = Body[hint]
    client = posting(show)
    for body in BODIES:
        answer = client.post("/", content=body)
        assert answer.status_code in (200, 400, 422)
        assert len(answer.content) < 600


@pytest.mark.parametrize("limit", [None, 100])
@pytest.mark.parametrize("chunks", [[b'{"x"', b": 1}"], [b'{"x": 1}'], None])
def test_a_body_may_be_read_more_than_once(limit: Any, chunks: Any) -> None:
    """By two parameters, by the handler itself, and before them."""

    async def twice(request: Request, a: Body[Point], b: Body[dict[str, int]]) -> Response:
        read = await request.body()
        streamed = b"".join([chunk async for chunk in request.stream()])
        return JSONResponse([a.x, b, read.decode(), streamed.decode(), await request.json()])

    client = posting(twice, max_body_size=limit)
    answer = client.post("/", content=iter(chunks) if chunks else b'{"x": 1}')
    assert answer.json() == [1.0, {"x": 1}, '{"x": 1}', '{"x": 1}', {"x": 1}]


@pytest.mark.parametrize("limit", [None, 100])
def test_an_empty_body_is_what_the_default_says(limit: Any) -> None:
    """Or None, where that will do."""

    async def show(
        a: Body[Point | None], b: Body[Point | None] = None, c: Body[Point] = THREE
    ) -> Response:
        return JSONResponse([a and a.x, b and b.x, c.x])

    async def needed(a: Body[Point]) -> Response: ...

    client = client_of(
        Route("/", show, methods=["POST"]),
        Route("/needed", needed, methods=["POST"]),
        max_body_size=limit,
    )
    assert client.post("/").json() == [None, None, 3.0]
    assert client.post("/", content=b"", headers=TEXT).json() == [None, None, 3.0]
    assert client.post("/", content=b"a", headers=TEXT).status_code == 415
    assert client.post("/", content=iter([])).json() == [None, None, 3.0]
    assert client.post("/", json={"x": 1}).json() == [1.0, 1.0, 1.0]
    assert client.post("/needed").status_code == 400


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/problem+json", 200),
        ("application/json-seq", 415),
        ("application/jsonlines", 415),
        ("text/plain; note=json", 415),
        ("application/x-www-form-urlencoded; json", 415),
        ("multipart/form-data; boundary=json", 415),
    ],
)
def test_content_types(kind: str, status: int) -> None:
    """JSON is what says that it is, and not what has these letters somewhere."""
    client = posting(point)
    answer = client.post("/", content=b'{"x": 1}', headers={"content-type": kind})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("announced", "status"),
    [("9" * 5_000, 413), ("0" * 5_000 + "8", 200), ("8", 200), ("101", 413)],
)
def test_lengths_that_are_announced(announced: str, status: int) -> None:
    """Be they longer than Python reads numbers."""
    client = posting(point, max_body_size=100)
    headers = {"content-length": announced}
    assert client.post("/", content=b'{"x": 1}', headers=headers).status_code == status


class Node(msgspec.Struct):
    value: int = 0
    child: Node | None = None
    children: list[Node] = []


async def node(node: Body[Node]) -> Response:
    return Response()


@pytest.mark.parametrize("depth", [10, 31, 33, 150, 490, 2_000, 100_000])
def test_what_is_wrong_far_down(depth: int) -> None:
    """It is told, and not looked for by functions that call each other as deep."""
    client = posting(node)
    answer = client.post("/", content=b'{"child":' * depth + b'{"value": "x"}' + b"}" * depth)
    assert answer.status_code in (400, 422)
    if depth < 33:
        assert places(answer) == ["$" + ".child" * depth + ".value"]
    (fault,) = answer.json()["detail"]
    assert len(fault["path"]) < 250
    assert fault["reason"]


@pytest.mark.parametrize(
    "content",
    [
        {"children": [{"value": "x"}] * 60_000},
        {"children": [{}] * 3_000 + [{"value": "x"}] * 60_000},
        {"children": [{"k" * 100_000: 1, "value": "x"}] * 9},
        {"value": "x" * 900_000},
    ],
    ids=["many", "late", "long keys", "long value"],
)
def test_an_answer_is_short_however_much_is_wrong(content: Any) -> None:
    """So many faults are told, and that there are more."""
    client = posting(node)
    answer = client.post("/", content=json.dumps(content))
    assert answer.status_code == 422
    assert len(answer.content) < 50_000
    told = answer.json()
    many = len(content.get("children", ())) > 100
    assert told.get("more", False) is many
    assert 0 < len(told["detail"]) <= 100


def test_long_names_are_shortened() -> None:
    """Which clients choose."""

    async def show(value: Body[dict[str, Color]]) -> Response: ...

    answer = posting(show).post("/", json={"k" * 10_000: "v" * 10_000, "b": "red"})
    (fault,) = answer.json()["detail"]
    assert len(answer.content) < 600
    assert fault["path"].startswith("$['kkk")
    assert fault["path"].endswith("kkk']")
    assert "…" in fault["path"] + fault["reason"]


def test_a_websocket_is_told_no_more_than_a_frame_takes() -> None:
    """What is wrong may be written in letters of several bytes."""

    async def chat(websocket: WebSocket, value: Query[Color], other: Query[Color]) -> None: ...

    app = Starlette(routes=[WebSocketRoute("/", chat)])
    Container().install(app)
    sent: list[Any] = []

    async def main() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        query = "value=" + "%E2%82%AC" * 100
        scope = {
            "type": "websocket",
            "path": "/",
            "headers": [],
            "query_string": query.encode(),
            "app": app,
        }
        await app(scope, receive, send)

    asyncio.run(main())
    assert sent[-1]["code"] == 1008
    assert 0 < len(sent[-1]["reason"].encode()) <= 123


SIZES = (-1, "1", True, 1.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [("close", "befor"), ("close", True), *(("max_body_size", each) for each in SIZES)],
)
def test_options_of_install_are_looked_at(name: str, value: Any) -> None:
    """A word that is misspelt, or a size that is none."""
    app = Starlette()
    with pytest.raises(ValueError, match=f"^{name}=.*: say "):
        Container().install(app, **{name: value})
    assert app.exception_handlers == {}


def test_no_body_at_all_may_be_said() -> None:
    """Zero bytes are a size."""
    client = posting(node, max_body_size=0)
    assert client.post("/", content=b"{}").status_code == 413
