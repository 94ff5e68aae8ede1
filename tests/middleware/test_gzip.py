"""GZipMiddleware answers as Starlette's does, to the byte."""

from __future__ import annotations

import gzip
import random
from typing import Any

import anyio.to_thread
import pytest
import starlette.middleware.gzip
from hypothesis import given, strategies as st

from tests.middleware.drive import BODY, START, Act, Sends, compare, fails, http, websocket
from turbostar._middleware.gzip import _MANY, _Excluded

MODULE = "middleware.gzip"
TEXT = b"to be compressed, " * 40
NOISE = random.Random(1).randbytes(600)

TYPES = [
    b"text/html",
    b"TEXT/Html ; charset=utf-8",
    b"image/png",
    b"image/svg+xml",
    b"audio/ogg",
    b"text/event-stream",
    b"application/grpc+proto",
    b"application/grpc",
    b"",
    b"\xff/\xe9",
    bytearray(b"video/mp4"),
]
EXCLUDED: list[Any] = [
    ("text/html",),
    ("Text/HTML; charset=x", " image/* "),
    ["application/grpc"],
    (),
    ["text/*"],
]

headers = st.lists(
    st.tuples(st.just(b"content-type"), st.sampled_from(TYPES))
    | st.tuples(st.just(b"content-length"), st.sampled_from([b"5", b"720"]))
    | st.tuples(st.just(b"vary"), st.sampled_from([b"Accept-Encoding", b"Origin", b"\xe9"]))
    | st.sampled_from([(b"content-encoding", b"br"), (b"x", b"1"), (bytearray(b"vary"), b"y")]),
    max_size=4,
)
starts = st.builds(
    lambda headers, status, more: {**START, "headers": headers, "status": status, **more},
    headers | headers.map(tuple),
    st.sampled_from([200, 200, 200, 206, 404]),
    st.sampled_from([{}, {}, {"trailers": True}, {"trailers": False}]),
)
bodies = st.fixed_dictionaries(
    {"type": st.just("http.response.body")},
    optional={
        "body": st.sampled_from([b"", b"small", TEXT, NOISE]),
        "more_body": st.booleans(),
    },
)
others = st.sampled_from(
    [
        {"type": "http.response.pathsend", "path": "/x"},
        {"type": "http.response.early_hint", "links": []},
        {"type": "http.response.trailers", "headers": []},
        {"type": "http.response.debug", "info": {}},
        {"type": "http.response.start", "headers": []},  # without a status
        START,
    ]
)
acts: st.SearchStrategy[list[Act]] = st.lists(
    st.builds(Sends, starts | bodies | others, st.booleans()) | st.just(fails), max_size=5
)
answers = st.builds(
    lambda start, bodies, lenient: [Sends(message, lenient) for message in (start, *bodies)],
    starts,
    st.lists(bodies, max_size=3),
    st.booleans(),
)
scopes = st.builds(
    lambda accepted, kind: http(*accepted, type=kind),
    st.lists(
        st.tuples(
            st.sampled_from([b"accept-encoding", b"x"]),
            st.sampled_from([b"gzip", b"br, gzip;q=0", b"br", b"GZIP", b"\xff gzip"]),
        ),
        max_size=2,
    ),
    st.sampled_from(["http", "http", "http", "lifespan"]),
)


class Gzip:
    """Makes the middleware, and changes its attributes before each request."""

    def __init__(self, configuration: dict[str, Any], changes: list[tuple[str, Any]]) -> None:
        self.configuration = configuration
        self.changes = changes

    def __call__(self, module: Any, app: Any) -> Any:
        compressing = module.GZipMiddleware(app, **self.configuration)
        waiting = [*self.changes]

        async def changing(scope: Any, receive: Any, send: Any) -> None:
            await compressing(scope, receive, send)
            if waiting:
                name, value = waiting.pop(0)
                if value == "one more":
                    value = compressing.exclude_content_types
                    if isinstance(value, list):
                        value.append("image/svg+xml")  # in place
                setattr(compressing, name, [*value] if isinstance(value, list) else value)

        return changing

    def __repr__(self) -> str:
        return f"Gzip({self.configuration!r}, {self.changes!r})"


configurations = st.fixed_dictionaries(
    {},
    optional={
        "minimum_size": st.sampled_from([0, -1, 5, 100, 10_000]),
        "compresslevel": st.sampled_from([0, 1, 9]),
        "exclude_content_types": st.sampled_from(EXCLUDED),
    },
)
changes = st.lists(
    st.tuples(st.just("minimum_size"), st.sampled_from([0, 5, 1000]))
    | st.tuples(st.just("compresslevel"), st.sampled_from([0, 6, 99]))
    | st.tuples(st.just("exclude_content_types"), st.sampled_from([*EXCLUDED, "one more"])),
    max_size=3,
)


@given(configurations, changes, st.lists(st.tuples(scopes, answers | acts), min_size=1, max_size=4))
def test_requests(configuration: Any, changes: Any, requests: Any) -> None:
    """Same messages in the same order, same bytes, same exceptions."""
    compare(MODULE, Gzip(configuration, changes), *requests)


STREAM = [{**BODY, "body": chunk, "more_body": True} for chunk in (TEXT, b"", NOISE, TEXT)]
ANSWERS: dict[str, list[Any]] = {
    "whole": [START, {**BODY, "body": TEXT}],
    "with trailers": [{**START, "trailers": True}, {**BODY, "body": TEXT}],
    "stream": [START, *STREAM, BODY],
    "empty stream": [START, {**BODY, "body": b"", "more_body": True}, BODY],
}


@pytest.mark.parametrize("content_type", [b"application/grpc+proto", b"text/plain", b"video/mp4"])
@pytest.mark.parametrize("accepted", [b"gzip", b"br"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers(answer: str, accepted: bytes, content_type: bytes) -> None:
    """The usual answers, to the byte."""
    headers = [(b"content-length", b"9"), (b"content-type", content_type), (b"vary", b"x")]
    start, *rest = ANSWERS[answer]
    sends = [Sends(message) for message in ({**start, "headers": headers}, *rest)]
    told = compare(MODULE, Gzip({}, []), (http((b"accept-encoding", accepted)), sends))
    compressed = accepted == b"gzip" and content_type == b"text/plain"
    assert ("content-encoding" in str(told[0]["sent"])) == compressed


@pytest.mark.parametrize("kind", [tuple, list])
def test_excluded_types_may_be_changed_in_place(kind: Any) -> None:
    """A list of content types counts as it is when the request begins."""

    def make(module: Any, app: Any) -> Any:
        compressing = module.GZipMiddleware(app)
        types = compressing.exclude_content_types = kind(["image/png"])

        async def changing(scope: Any, receive: Any, send: Any) -> None:
            await compressing(scope, receive, send)
            if kind is list:
                types.append("Text/Plain; x")
            else:
                compressing.exclude_content_types = (*types, "text/plain")

        return changing

    start = {**START, "headers": [(b"content-type", b"text/plain")]}
    request = (
        http((b"accept-encoding", b"gzip")),
        [Sends(start), Sends({**BODY, "body": TEXT})],
    )
    told = compare(MODULE, make, request, request)
    assert told[0]["sent"] != told[1]["sent"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("more_body", [False, True])
def test_long_bodies_are_compressed_in_a_thread(
    backend: str, more_body: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Starlette's own limiter, looked up when it is needed, and on any event loop."""
    calls: list[Any] = []
    to_thread = anyio.to_thread.run_sync
    limiter_of = starlette.middleware.gzip._get_gzip_capacity_limiter

    async def run_sync(function: Any, *args: Any, limiter: Any) -> Any:
        calls.append((args, limiter is limiter_of()))
        return await to_thread(function, *args, limiter=limiter)

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    chunks = [{**BODY, "body": TEXT, "more_body": more_body}]
    chunks += [{**BODY, "body": NOISE, "more_body": False}] * more_body
    requests = [
        (http((b"accept-encoding", b"gzip")), [Sends(message) for message in (START, *chunks)]),
        (http(), [Sends(message) for message in (START, *chunks)]),
    ]
    told = compare(MODULE, Gzip({"thread_minimum_size": 600}, []), *requests, backend=backend)
    body = b"".join(dict(message)["body"][1] for message in told[0]["sent"][1:])
    assert gzip.decompress(body) == TEXT + NOISE * more_body
    half = len(calls) // 2
    assert calls[:half] == calls[half:] != []
    assert all(own for _, own in calls)


def test_the_connection_may_be_gone() -> None:
    """What the server's `send` raises arrives below, at the same message."""
    for body in (b"small", TEXT):
        sends = [Sends(START, lenient=True), Sends({**BODY, "body": body})]
        scope = http((b"accept-encoding", b"gzip"))
        compare(MODULE, Gzip({}, []), (scope, sends), (scope, sends[:1]), failing=True)


def test_other_scopes_pass() -> None:
    """Nothing is done for a websocket."""
    scope = websocket((b"accept-encoding", b"gzip"))
    told = compare(MODULE, Gzip({}, []), (scope, [Sends({"type": "websocket.accept"})]))
    assert told[0]["headers are the ones given"]


def test_content_types_are_not_remembered_without_end() -> None:
    """A server may invent a content type for each answer, such as one with a boundary."""
    excluded = _Excluded(("image/png",))
    for number in range(2 * _MANY):
        assert not excluded.has(b"multipart/mixed; boundary=%d" % number)
        assert len(excluded.known) <= _MANY
    assert excluded.has(b"image/png")


def test_attributes_count_when_the_request_begins() -> None:
    """What is changed while a request is answered counts for the next one."""

    class Changing(Gzip):
        def __call__(self, module: Any, app: Any) -> Any:
            async def changed(scope: Any, receive: Any, send: Any) -> None:
                compressing.minimum_size = 10_000
                compressing.exclude_content_types = ("text/plain",)
                await app(scope, receive, send)

            compressing = module.GZipMiddleware(changed)
            return compressing

    start = {**START, "headers": [(b"content-type", b"text/plain")]}
    request = http((b"accept-encoding", b"gzip")), [Sends(start), Sends({**BODY, "body": TEXT})]
    told = compare(MODULE, Changing({}, []), request, request)
    assert ("bytes", b"gzip") in [
        value for header in dict(told[0]["sent"][0])["headers"][1] for value in header[1]
    ]
