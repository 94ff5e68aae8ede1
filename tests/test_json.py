"""JSON: msgspec's speed with the standard library's answers."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import uuid
from collections import Counter, OrderedDict, UserDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pydantic
import pytest
import starlette.requests
import starlette.responses
from hypothesis import example, given, strategies as st

import turbostar.requests
import turbostar.responses
from turbostar._http.json_codec import decodes_as_ever, dumps, loads


def outcome(function: Callable[..., Any], *args: Any) -> tuple[str, Any]:
    """What a call gives: its value, or its exception's type and message."""
    try:
        return "value", function(*args)
    except Exception as error:
        return type(error).__name__, str(error)


def stock_dumps(content: Any) -> bytes:
    return bytes(starlette.responses.JSONResponse(content).body)


def parsed(body: bytes) -> Any:
    """The value a client reads, with the one accepted difference removed: how floats are written.

    As a key a float is text, so that the keys which are floats are read as floats.
    """

    def pairs(items: list[tuple[str, Any]]) -> list[tuple[Any, Any]]:
        return [(number(key), value) for key, value in items]

    def number(key: str) -> Any:
        try:
            value = float(key)
        except ValueError:
            return key
        return key if math.isnan(value) or key.lstrip("-").isdigit() else value

    return json.loads(body, object_pairs_hook=pairs)


def same(content: Any) -> None:
    """Stock and turbostar encode to what parses to equal values, or raise alike."""
    kind, theirs = outcome(stock_dumps, content)
    our_kind, ours = outcome(dumps, content)
    assert our_kind == kind, (theirs, ours)
    if kind == "value":
        assert parsed(ours) == parsed(theirs)
        assert repr(parsed(ours)) == repr(parsed(theirs))  # tells 1 from 1.0 from True
    else:
        assert ours == theirs


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not me"


class Whole(int):
    def __repr__(self) -> str:
        return "not me"


class Real(float):
    pass


class Colour(enum.StrEnum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


class Odd(str, enum.Enum):  # noqa: UP042 - a StrEnum cannot be this odd
    """A string whose value as an Enum is another one."""

    def __new__(cls, value: str) -> Odd:
        self = str.__new__(cls, "text")
        self._value_ = value
        return self

    ONE = "value"


class Reversed(list):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[Any]:
        return reversed(self)


class Items(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        return [("from", "items")]


Pair = namedtuple("Pair", "left right")


def moved(items: dict[Any, Any]) -> OrderedDict[Any, Any]:
    ordered = OrderedDict(items)
    if ordered:
        ordered.move_to_end(next(iter(ordered)))
    return ordered


floats = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [1e16, 1e22, 1e-5, 5e-324, -0.0, 1.7976931348623157e308, math.nan, -math.nan, -math.inf]
)
texts = st.text(st.characters(), max_size=12)  # surrogates and control characters included
integers = st.integers() | st.sampled_from([127, 255, -1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1])
atoms = (
    st.none()
    | st.booleans()
    | integers
    | floats
    | texts
    | texts.map(Text)
    | st.integers(-9, 9).map(Whole)
    | floats.map(Real)
    | st.sampled_from([Colour.RED, Size.SMALL, Odd.ONE])
    | st.complex_numbers(max_magnitude=2)
)
keys = texts | integers | st.none() | st.booleans() | floats | texts.map(Text) | st.tuples(integers)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=5)
    dicts = st.dictionaries(keys, inner, max_size=5)
    plain = st.dictionaries(st.text("abc", max_size=3), inner, max_size=5)
    return (
        lists
        | lists.map(tuple)
        | lists.map(Reversed)
        | st.builds(Pair, inner, inner)
        | plain
        | dicts
        | dicts.map(moved)
        | dicts.map(Items)
        | dicts.map(lambda items: defaultdict(list, items))
        | plain.map(UserDict)
    )


contents = st.recursive(atoms, containers, max_leaves=25)


@given(contents)
@example({"a": [math.nan]})
@example({math.nan: 1})
@example([None, {"x": -math.inf}])
@example({None: 1, True: 2, 1.5: 3})
@example([2**64, -(2**63) - 1, 10**400])
@example(Counter("abracadabra"))
@example(-1)
@example([127, 255, -1])
@example("\ud800")
@example({"\udfff": 1})
@example([b"bytes"][:0])
def test_stock_and_turbostar_encode_alike(content: Any) -> None:
    """Whatever stock encodes or refuses, turbostar encodes or refuses alike."""
    same(content)


@given(st.lists(st.tuples(keys, atoms), min_size=1, max_size=10).map(dict))
@example({"a": math.nan})
@example({"a": 1, "b": True, "c": None, "d": "x", "e": 1.5, "f": math.inf})
@example({"a": 1, 1.5: 2, math.nan: 3})
@example({"a": Real(1.5), "b": Whole(1), Text("c"): Text("d")})
@example({"NAN": None})
def test_a_few_items_are_encoded_as_in_stock(content: dict[Any, Any]) -> None:
    """A small dict, of which each item is looked at, has the answer of a large one."""
    same(content)
    same({**content, "more": "x" * 600})
    same(OrderedDict(content))


@given(st.lists(integers | floats | texts, min_size=1, max_size=60))
def test_non_finite_numbers_are_found_among_many(content: list[Any]) -> None:
    """The search for NaN in marshalled bytes is not fooled by what surrounds it."""
    same(content)
    same([{"value": value, "again": value} for value in content])


@pytest.mark.parametrize("top", [0x7F, 0xFF])
@pytest.mark.parametrize("payload", [b"\0" * 6 + b"\xf0", b"\1" + b"\0" * 5 + b"\xf8"])
def test_every_kind_of_non_finite_float_is_refused(top: int, payload: bytes) -> None:
    """Infinities and NaNs of any sign and payload, alone, shared, as a value and as a key."""
    import struct

    (value,) = struct.unpack("<d", payload + bytes([top]))
    for content in (value, [value, value], {"a": value}, {value: "a"}, (0, [value])):
        with pytest.raises(ValueError, match="Out of range float values"):
            dumps(content)
    # Behind more look-alike bytes than the search by hand looks at.
    with pytest.raises(ValueError, match="Out of range float values"):
        dumps([[-7] * 3000, [127, 255] * 3000, value])
    assert json.loads(dumps([[-7] * 3000, [127, 255] * 3000])) == [[-7] * 3000, [127, 255] * 3000]


def test_content_that_holds_itself_is_refused_as_in_stock() -> None:
    """A circle gives stock's ValueError, not a RecursionError."""
    circle: list[Any] = []
    circle.append(circle)
    ring: dict[str, Any] = {}
    ring["ring"] = [ring]
    for content in (circle, ring):
        assert outcome(dumps, content) == ("ValueError", "Circular reference detected")


def test_deep_nesting() -> None:
    """What nests deeply is encoded, and what nests too deeply raises stock's RecursionError."""
    fine: Any = 1
    for _ in range(150):
        fine = [{"a": fine}]
    same(fine)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    kind, message = outcome(dumps, deep)
    assert (kind, message) == outcome(stock_dumps, deep)
    assert kind == "RecursionError"


@dataclasses.dataclass
class Product:
    name: str
    price: Any


class Point(msgspec.Struct):
    x: int
    y: Any = None


class Account(pydantic.BaseModel):
    id: uuid.UUID
    since: datetime


@pydantic.dataclasses.dataclass
class Badge:
    colour: str


@pydantic.dataclasses.dataclass
class Coded:
    code: int

    @pydantic.field_serializer("code")
    def written(self, code: int) -> str:
        return f"<{code}>"


class Level(enum.Enum):
    HIGH = "high"


UUID = uuid.UUID(int=1)


@pytest.mark.parametrize(
    ("content", "encoded"),
    [
        (datetime(2024, 5, 1, 12, 30, tzinfo=UTC), '"2024-05-01T12:30:00Z"'),
        (datetime(2024, 5, 1, 12, 30), '"2024-05-01T12:30:00"'),
        (date(2024, 5, 1), '"2024-05-01"'),
        (time(12, 30), '"12:30:00"'),
        (timedelta(days=1), '"P1D"'),
        (UUID, '"00000000-0000-0000-0000-000000000001"'),
        (Decimal("1.50"), '"1.50"'),
        (Level.HIGH, '"high"'),
        (b"ab", '"YWI="'),
        ({1}, "[1]"),
        (frozenset({1}), "[1]"),
        (Product("tea", 1.5), '{"name":"tea","price":1.5}'),
        (Point(1), '{"x":1,"y":null}'),
        (Badge("red"), '{"colour":"red"}'),
        (Coded(1), '{"code":"<1>"}'),
        (
            Account(id=UUID, since=datetime(2024, 5, 1)),
            '{"id":"00000000-0000-0000-0000-000000000001","since":"2024-05-01T00:00:00"}',
        ),
        ({UUID: 1}, '{"00000000-0000-0000-0000-000000000001":1}'),
    ],
)
def test_the_superset(content: Any, encoded: str) -> None:
    """What stock refuses with TypeError, turbostar encodes; beside odd content just as well."""
    with pytest.raises(TypeError):
        stock_dumps(content)
    assert dumps(content).decode() == encoded
    assert dumps([content, None]).decode() == f"[{encoded},null]"
    if not isinstance(content, dict):
        # A str subclass makes the standard library decide, which asks for the rest.
        assert dumps([Text("odd"), content]).decode() == f'["odd",{encoded}]'
        assert dumps({None: content}).decode() == f'{{"null":{encoded}}}'


@pytest.mark.parametrize(
    "holder", [Product("tea", math.nan), Point(1, math.inf), {math.nan}, Decimal(1)]
)
def test_nan_within_the_superset_is_refused(holder: Any) -> None:
    """NaN is no JSON, wherever it hides."""
    with pytest.raises(ValueError, match="Out of range float values"):
        dumps([holder, math.nan])
    if not isinstance(holder, Decimal):
        with pytest.raises(ValueError, match="Out of range float values"):
            dumps([holder, None])


def test_odd_subclasses_beside_the_superset() -> None:
    """A reordered OrderedDict or an overridden items() counts beside a datetime as well."""
    content = [date(2024, 5, 1), moved({"a": 1, "b": 2}), Items(a=1), Reversed([1, 2]), Odd.ONE]
    assert dumps(content) == b'["2024-05-01",{"b":2,"a":1},{"from":"items"},[2,1],"text"]'


class Unknown:
    pass


@pytest.mark.parametrize(
    "content", [Unknown(), [Unknown()], Product("tea", Unknown()), 1j, range(3)]
)
def test_what_nobody_can_encode_raises_as_in_stock(content: Any) -> None:
    """The TypeError names the type as the standard library does."""
    with pytest.raises(TypeError, match=r"^Object of type \w+ is not JSON serializable$"):
        dumps(content)


def test_the_default_hook() -> None:
    """The hook is asked for what is otherwise unknown, also within a dataclass, and only then."""
    asked: list[Any] = []

    def default(value: Any) -> Any:
        asked.append(value)
        return {"unknown": [1, date(2024, 5, 1)]}

    unknown = Unknown()
    expected = b'[{"unknown":[1,"2024-05-01"]},"2024-05-01",null]'
    assert dumps([unknown, date(2024, 5, 1), None], default) == expected
    assert dumps(Product("tea", unknown), default) == (
        b'{"name":"tea","price":{"unknown":[1,"2024-05-01"]}}'
    )
    assert asked == [unknown, unknown]


def test_the_hook_of_a_response_class() -> None:
    """``json_default`` of a JSONResponse subclass is that hook, as a method."""

    class Custom(turbostar.responses.JSONResponse):
        def json_default(self, value: Any) -> Any:
            return type(value).__name__

    assert Custom({"a": Unknown()}).body == b'{"a":"Unknown"}'
    with pytest.raises(TypeError, match="Object of type Unknown is not JSON serializable"):
        turbostar.responses.JSONResponse({"a": Unknown()})


@pytest.mark.parametrize("status_code", [100, 199, 200, 201, 204, 304, 404, 500])
@pytest.mark.parametrize("headers", [None, {}, {"X-A": "b"}, {"Content-Length": "9"}])
@pytest.mark.parametrize(
    "media_type", [None, "application/json", "text/json", "application/x+json"]
)
def test_a_response_has_stocks_headers(
    status_code: int, headers: dict[str, str] | None, media_type: str | None
) -> None:
    """Status, headers and their order, body, and attributes are stock's."""
    background = starlette.responses.BackgroundTask(print)
    ours, theirs = (
        module.JSONResponse({"a": [1, None]}, status_code, headers, media_type, background)
        for module in (turbostar.responses, starlette.responses)
    )
    assert vars(ours) == vars(theirs)
    ours.headers["x-added"] = theirs.headers["x-added"] = "1"
    ours.set_cookie("a", "b")
    theirs.set_cookie("a", "b")
    assert ours.raw_headers == theirs.raw_headers
    # The shared constant is not what was changed.
    assert turbostar.responses.JSONResponse({}).raw_headers == [
        (b"content-length", b"2"),
        (b"content-type", b"application/json"),
    ]


def test_overridden_methods_of_a_response_are_honoured() -> None:
    """render, init_headers, media_type and charset of a subclass have their say."""

    class Wrapped(turbostar.responses.JSONResponse):
        media_type = "application/vnd.api+json"

        def render(self, content: Any) -> bytes:
            return super().render({"data": content})

        def init_headers(self, headers: Any = None) -> None:
            super().init_headers({"x-init": "1", **(headers or {})})

    response = Wrapped(1)
    assert response.body == b'{"data":1}'
    assert response.raw_headers == [
        (b"x-init", b"1"),
        (b"content-length", b"10"),
        (b"content-type", b"application/vnd.api+json"),
    ]


documents = st.one_of(
    contents.map(lambda content: outcome(json.dumps, content)[1]).filter(
        lambda text: isinstance(text, str)
    ),
    st.text(st.characters(), max_size=20),
    st.text('{}[]:,"\\ 0123456789.eE+-truefalsnINy\n\t/u', max_size=16),
)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-32-be"])


@given(documents, encodings)
@example("NaN", "utf-8")
@example("[1e400, -1e400, -Infinity]", "utf-8")
@example('{"a": 1, "a": 2}', "utf-8")
@example('"\\ud800"', "utf-8")
@example("1" * 5000, "utf-8")
@example("-0", "utf-8")
@example("-0.0", "utf-8")
@example("0.1e1", "utf-8")
@example("18446744073709551616", "utf-8")
@example("[" * 2000 + "]" * 2000, "utf-8")
@example("", "utf-8")
@example(" [1] x", "utf-8")
def test_stock_and_turbostar_decode_alike(text: str, encoding: str) -> None:
    """For any bytes the value is the standard library's, or the error with its position."""
    data = text.encode(encoding, "surrogatepass")
    kind, theirs = outcome(json.loads, data)
    our_kind, ours = outcome(loads, data)
    assert (our_kind, repr(ours)) == (kind, repr(theirs))


@given(st.binary(max_size=24))
@example(b"\xff\xfe")
@example(b'"\xed\xa0\x80"')
@example(b'"\xc3"')
def test_any_bytes_decode_alike(data: bytes) -> None:
    """Bytes in no encoding at all give stock's value or error."""
    kind, theirs = outcome(json.loads, data)
    our_kind, ours = outcome(loads, data)
    assert (our_kind, repr(ours)) == (kind, repr(theirs))


async def read(request_class: Any, chunks: list[bytes]) -> Any:
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    request = request_class({"type": "http", "method": "POST", "headers": []}, receive)
    first = await request.json()
    assert await request.json() is first
    assert request._json is first
    assert await request.body() == b"".join(chunks)
    return first


@pytest.mark.anyio
async def test_request_json_reads_once_and_remembers() -> None:
    """json() decodes a body in any number of pieces, once, and keeps the body for body()."""
    assert await read(turbostar.requests.Request, [b'{"a"', b": [1, ", b"null]}"]) == {
        "a": [1, None]
    }


@pytest.mark.anyio
async def test_request_json_errors_are_stocks() -> None:
    """A broken body raises JSONDecodeError each time it is asked for."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"a": tru}', "more_body": False}

    request: turbostar.requests.Request = turbostar.requests.Request(
        {"type": "http", "method": "POST", "headers": []}, receive
    )
    for _ in range(2):
        with pytest.raises(json.JSONDecodeError) as caught:
            await request.json()
        assert caught.value.pos == 6


def test_a_patched_standard_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who patches json.dumps or json.loads, as tests do, is called as by stock."""
    monkeypatch.setattr(json, "dumps", lambda content, **options: f"<{content}>")
    monkeypatch.setattr(json, "loads", lambda data: ("patched", data))
    assert turbostar.responses.JSONResponse(1).body == b"<1>"
    assert not decodes_as_ever(starlette.requests)
    request: Any = turbostar.requests.Request({"type": "http"})
    request._body = b"1"
    with pytest.raises(StopIteration):
        request.json().send(None)
    assert request._json == ("patched", b"1")
