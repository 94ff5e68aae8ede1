"""CORSMiddleware answers as Starlette's does."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.middleware.drive import BODY, START, Act, Does, Sends, compare, fails, http, websocket

MODULE = "middleware.cors"

ORIGINS = [b"https://a.example", b"https://b.example", b"https://C.example", b"null", b"\xe9", b""]
NAMES = ["GET", "POST", "*", "delete"]
FIELDS = ["X-One", "x-two", "*", "Accept", "a,b", " x-three "]

configurations = st.fixed_dictionaries(
    {},
    optional={
        "allow_origins": st.lists(
            st.sampled_from(["*", *(origin.decode("latin-1") for origin in ORIGINS)]), max_size=3
        )
        | st.just(("https://a.example",))
        | st.just(frozenset({"https://b.example"}))
        | st.just("https://a.example, https://b.example"),
        "allow_methods": st.lists(st.sampled_from(NAMES), max_size=3),
        "allow_headers": st.lists(st.sampled_from(FIELDS), max_size=3),
        "allow_credentials": st.booleans(),
        "allow_origin_regex": st.sampled_from([None, r"https://.*\.example", ""]),
        "allow_private_network": st.booleans(),
        "expose_headers": st.lists(st.sampled_from(FIELDS), max_size=2),
        "max_age": st.integers(0, 600),
    },
)

request_headers = st.lists(
    st.tuples(st.just(b"origin"), st.sampled_from(ORIGINS))
    | st.tuples(
        st.just(b"access-control-request-method"), st.sampled_from([b"GET", b"POST", b"\xff"])
    )
    | st.tuples(
        st.just(b"access-control-request-headers"),
        st.sampled_from([b"X-ONE", b"x-one, x-two", b"x-one,accept", b"", b",", b"a,b", b"\xe9"]),
    )
    | st.tuples(st.just(b"access-control-request-private-network"), st.just(b"true"))
    | st.just((b"Origin", b"https://a.example"))
    | st.just((b"host", b"x.example")),
    max_size=6,
)

response_headers = st.lists(
    st.tuples(
        st.sampled_from([b"vary", b"Vary", b"access-control-allow-origin", b"content-length"])
        | st.sampled_from([b"access-control-allow-credentials", bytearray(b"vary"), b"x"]),
        st.sampled_from([b"Accept", b"*", b"\xe9", b""]),
    ),
    max_size=4,
)


def _set(name: str, value: Any) -> Any:
    return lambda cors: setattr(cors, name, copy.copy(value))


class Anything:
    """A pattern of somebody's own."""

    def fullmatch(self, origin: str) -> bool:
        return origin.endswith("example")


CHANGES: dict[str, Callable[[Any], Any]] = {
    "header": lambda cors: cors.simple_headers.update({"X-More": "1"}),
    "vary": lambda cors: cors.simple_headers.update({"Vary": "Accept"}),
    "case": lambda cors: cors.simple_headers.update({"x-MORE": "2", "X-more": "3"}),
    "order": lambda cors: cors.simple_headers.update(
        {"Access-Control-Allow-Credentials": cors.simple_headers.pop("x", "true")}
    ),
    "no headers": lambda cors: cors.simple_headers.clear(),
    "other headers": _set("simple_headers", {"access-control-allow-ORIGIN": "x", "B": "é"}),
    "reversed": lambda cors: _set("simple_headers", dict(reversed([*cors.simple_headers.items()])))(
        cors
    ),
    "not latin": lambda cors: cors.simple_headers.update({"X-More": "✓"}),
    "no string": lambda cors: cors.preflight_headers.update({"X-More": 1}),
    "preflight": lambda cors: cors.preflight_headers.update({"Content-Length": "7", "vary": "1"}),
    "preflight type": lambda cors: cors.preflight_headers.update({"content-type": "text/html"}),
    "preflight origin": lambda cors: cors.preflight_headers.update(
        {"Access-Control-Allow-Origin": "x", "Access-Control-Allow-Headers": "y"}
    ),
    "all origins": _set("allow_all_origins", True),
    "some origins": _set("allow_all_origins", False),
    "one more origin": lambda cors: cors.allow_origins.append("null"),
    "no origins": _set("allow_origins", ()),
    "credentials": _set("allow_credentials", True),
    "regex": _set("allow_origin_regex", re.compile(".*b.*")),
    "own regex": _set("allow_origin_regex", Anything()),
    "all allow_headers": _set("allow_all_headers", True),
    "allow_headers": lambda cors: cors.allow_headers.append("b"),
    "no allow_headers": lambda cors: cors.allow_headers.clear(),
    "methods": _set("allow_methods", "GET"),
    "explicit": _set("preflight_explicit_allow_origin", True),
    "network": _set("allow_private_network", True),
}


class Cors:
    """Makes the middleware, and changes it before each request."""

    def __init__(self, configuration: dict[str, Any], changes: list[str]) -> None:
        self.configuration = configuration
        self.changes = changes

    def __call__(self, module: Any, app: Any) -> Any:
        copied = {
            key: [*value] if isinstance(value, list) else value
            for key, value in self.configuration.items()
        }
        cors = module.CORSMiddleware(app, **copied)
        waiting = [*self.changes]

        async def changing(scope: Any, receive: Any, send: Any) -> None:
            await cors(scope, receive, send)
            if waiting:
                with contextlib.suppress(AttributeError):  # a tuple is not appended to
                    CHANGES[waiting.pop(0)](cors)

        return changing

    def __repr__(self) -> str:
        return f"Cors({self.configuration!r}, {self.changes!r})"


def _append(scope: Any) -> None:
    scope["headers"].append((b"origin", b"https://a.example"))


def _remove(scope: Any) -> None:
    scope["headers"][:] = [header for header in scope["headers"] if header[0] != b"origin"]


def _replace(scope: Any) -> None:
    scope["headers"] = [(b"origin", b"https://b.example")]


starts = st.builds(lambda headers: {**START, "headers": headers}, response_headers)
acts: st.SearchStrategy[list[Act]] = st.lists(
    st.builds(
        Sends,
        starts
        | starts.map(lambda message: {**message, "headers": tuple(message["headers"])})
        | st.sampled_from([START, BODY, {**START, "headers": None}, {"type": "other"}]),
        st.booleans(),
    )
    | st.sampled_from([Does("append", _append), Does("remove", _remove)])
    | st.sampled_from([Does("replace", _replace), fails]),
    max_size=4,
)
scopes = st.builds(
    lambda headers, method, kind: http(*headers, method=method, type=kind),
    request_headers,
    st.sampled_from(["GET", "OPTIONS"]),
    st.sampled_from(["http", "http", "http", "websocket"]),
)


@given(
    configurations,
    st.lists(st.sampled_from([*CHANGES]), max_size=3),
    st.lists(st.tuples(scopes, acts), min_size=1, max_size=4),
)
def test_requests(configuration: Any, changes: Any, requests: Any) -> None:
    """Same messages, scope and exceptions, whatever is asked, answered, and changed in between."""
    compare(MODULE, Cors(configuration, changes), *requests)


@given(configurations, request_headers, st.lists(st.sampled_from([*CHANGES]), max_size=2))
def test_preflights(configuration: Any, headers: Any, changes: Any) -> None:
    """Preflight requests are answered with the same headers in the same order."""
    asking = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"GET")]
    scopes = [http(*headers, *asking, method="OPTIONS"), http(*asking, *headers, method="OPTIONS")]
    requests = [(scope, [Sends(START)]) for scope in [*scopes, scopes[0]]]
    compare(MODULE, Cors(configuration, changes), *requests)


ASKING = [(b"origin", b"https://b.example"), (b"access-control-request-method", b"GET")]
QUESTIONS = [
    ("GET", [(b"origin", b"https://a.example")], []),
    ("GET", [(b"origin", b"https://b.example")], [(b"x-more", b"taken")]),
    ("OPTIONS", ASKING, []),
    ("OPTIONS", [*ASKING, (b"access-control-request-headers", b"b")], []),
    ("OPTIONS", [*ASKING, (b"access-control-request-private-network", b"true")], []),
]


@pytest.mark.parametrize("credentials", [False, True])
@pytest.mark.parametrize("origins", [["*"], ["https://a.example"], []], ids=str)
@pytest.mark.parametrize("change", CHANGES)
def test_changes_count_at_once(change: str, origins: list[str], credentials: bool) -> None:
    """Whatever was remembered of a question, a change of any attribute changes the answer."""
    settings = {"allow_origins": origins, "allow_credentials": credentials, "allow_headers": ["c"]}
    for method, headers, answer in QUESTIONS:
        request = http(*headers, method=method), [Sends({**START, "headers": answer}, True)]
        compare(MODULE, Cors(settings, [change]), *[request] * 3)


def test_the_order_of_headers_may_be_changed() -> None:
    """The same headers in another order are added in that order."""

    def reverse(headers: dict[str, str]) -> None:
        for name in [*headers][:-1]:
            headers[name] = headers.pop(name)

    class Reversing(Cors):
        def __call__(self, module: Any, app: Any) -> Any:
            cors = module.CORSMiddleware(app, ["*"], allow_headers=["x"], expose_headers=["y"])

            async def reversing(scope: Any, receive: Any, send: Any) -> None:
                await cors(scope, receive, send)
                reverse(cors.simple_headers)
                reverse(cors.preflight_headers)

            return reversing

    for method in ("GET", "OPTIONS"):
        request = http(*ASKING, method=method), [Sends(START)]
        told = compare(MODULE, Reversing({}, []), *[request] * 2)
        assert told[0]["sent"] != told[1]["sent"]


def test_nothing_is_remembered_of_replaced_methods() -> None:
    """What a method of somebody's own has decided is not the answer once it is gone."""
    import turbostar.middleware.cors

    stock = turbostar.middleware.cors.CORSMiddleware.__mro__[1]

    def make(module: Any, app: Any) -> Any:
        cors = module.CORSMiddleware(app)
        patch = pytest.MonkeyPatch()
        turn = first - 1

        async def patching(scope: Any, receive: Any, send: Any) -> None:
            nonlocal turn
            turn += 1
            if turn == 2:
                patch.setattr(stock, "is_allowed_origin", lambda self, origin: True)
            elif turn == 3:
                patch.undo()
            await cors(scope, receive, send)

        return patching

    request = http(*ASKING, method="OPTIONS"), []
    for first in (1, 2):
        told = compare(MODULE, make, *[request] * 3)
        assert told[2 - first]["sent"] != told[3 - first]["sent"]


@pytest.mark.parametrize("missing", ["method", "headers", "type"])
def test_scopes_that_lack_something(missing: str) -> None:
    """The same exceptions for a scope that no server would make."""
    scope = http()
    del scope[missing]
    compare(MODULE, Cors({}, []), (scope, [Sends(START)]))


def test_tuples_of_headers_become_lists() -> None:
    """The scope gets a list of headers, as on Starlette."""
    scope = http()
    scope["headers"] = ((b"origin", b"https://a.example"),)
    (told,) = compare(MODULE, Cors({"allow_origins": ["*"]}, []), (scope, [Sends(START)]))
    assert not told["headers are the ones given"]


def test_the_connection_may_be_gone() -> None:
    """What the server's `send` raises arrives below."""
    requests = [(http(method=method), [Sends(START), Sends(BODY)]) for method in ("GET", "OPTIONS")]
    compare(MODULE, Cors({}, []), *requests, failing=True)


def test_websockets_pass() -> None:
    """Nothing is done for a websocket, not even to its list of headers."""
    told = compare(MODULE, Cors({}, []), (websocket(), [Sends({"type": "websocket.accept"})]))
    assert told[0]["headers are the ones given"]


def test_messages_are_passed_on_and_their_headers_left_alone() -> None:
    """The very message that was sent arrives, with a list of headers of its own."""
    import turbostar.middleware.cors

    message: Any = {**START, "headers": (given := [(b"a", b"b")])}
    arrived: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(message)

    async def send(message: Any) -> None:
        arrived.append(message)

    cors = turbostar.middleware.cors.CORSMiddleware(app)
    with pytest.raises(StopIteration):
        cors(http(), send, send).send(None)
    assert arrived[0] is message
    assert given == [(b"a", b"b")]
    assert message["headers"] == [(b"a", b"b"), (b"vary", b"Origin")]


def test_preflights_are_not_remembered_without_end() -> None:
    """Anybody may ask anything; and a header of an answer may be changed on its way."""
    from turbostar._middleware import cors as _cors

    cors = _cors.CORSMiddleware(None, allow_origins=["*"], allow_headers=["*"])  # type: ignore[arg-type]
    assert _cors.is_plain(cors)
    asking = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"GET")]
    for number in range(2 * _cors._MANY):
        question = [*asking, (b"access-control-request-headers", b"x-%d" % number)]
        answers = []
        for _ in range(3):
            response = _cors.preflight(cors, question)
            assert response is not None
            answers.append([*response.raw_headers])
            response.headers["x-poison"] = "1"
        assert answers[0] == answers[1] == answers[2]
        assert 0 < len(_cors._memo(cors).answers[2]) <= _cors._MANY
    remembered = len(_cors._memo(cors).answers[2])
    _cors.preflight(cors, [*asking, (b"access-control-request-headers", b"x" * 1000)])
    assert len(_cors._memo(cors).answers[2]) == remembered


def test_settings_that_may_change_unseen_are_asked_each_time() -> None:
    """An object of somebody's own decides anew for each preflight."""

    class Alternating:
        asked = 0

        def __contains__(self, origin: object) -> bool:
            self.asked += 1
            return self.asked % 2 == 0

    class Changing(Cors):
        def __call__(self, module: Any, app: Any) -> Any:
            cors = module.CORSMiddleware(app)
            cors.allow_origins = Alternating()
            return cors

    asking = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"GET")]
    scope = http(*asking, method="OPTIONS")
    told = compare(MODULE, Changing({}, []), *[(scope, [])] * 4)
    assert told[0]["sent"] == told[2]["sent"] != told[1]["sent"] == told[3]["sent"]
