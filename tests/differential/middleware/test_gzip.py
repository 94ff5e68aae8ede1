"""GZipMiddleware: what it compresses, what it leaves alone, and what it does to the headers."""

from __future__ import annotations

import ast
import zlib
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, strategies as st

from tests.asgi import Visit
from tests.differential import answering, failing, raw
from tests.differential.middleware import dispatches, files, layers, streaming
from tests.differential.middleware.kit import VARIES, h, kit, odd_headers, subclassed
from tests.differential.middleware.test_replaced import stack_of
from tests.differential.modes import HALVES, Mode
from tests.differential.part import Part, asgi, endpoint
from tests.differential.scene import Scene, check, play_all
from tests.differential.served import PATH, Served
from tests.differential.tables import Choices, examples
from tests.differential.world import World

Start, Body = "http.response.start", "http.response.body"
ACCEPTS = (
    *("gzip", "deflate, gzip;q=1.0, *;q=0.5", "gzip;q=0", "identity", "", "GZIP", "x-gzip"),
    *("br", "*", "gzip, gzip", "gzipped"),
)
GZIP = Visit(PATH, headers=h(accept_encoding="gzip"))
VISITS = (
    GZIP,
    Visit(PATH),
    Visit(PATH, method="HEAD", headers=h(accept_encoding="gzip")),
    Visit(PATH, headers=h(accept_encoding="identity"), spec="2.4"),
)


def _body(
    name: str,
    body: Any,
    status: int = 200,
    media_type: str | None = "text/plain",
    **headers: str,
) -> Part:
    async def answer(world: World, request: Any) -> Any:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return world.ns.Response(body, status, named or None, media_type)

    answer.__name__ = name
    return endpoint(answer)


SIZES = tuple(_body(f"size_{size}", b"x" * size) for size in (0, 1, 19, 20, 21, 499, 500, 5000))
LONG = b"compress me, please " * 50
KINDS = (
    _body("view", memoryview(LONG)),
    _body("encoded", LONG, content_encoding="br"),
    _body("encoded_empty", LONG, content_encoding=""),
    _body("partial", LONG, 206),
    _body("not_modified", b"", 304, etag="x"),
    _body("no_content", b"", 204),
    _body("untyped", LONG, media_type=None),
    _body("varies", LONG, vary="Cookie, accept-encoding"),
    _body("varies_by_all", LONG, vary="*"),
    _body("own_length", LONG, content_length="3"),
    *(
        _body(f"type_{media_type}", LONG, media_type=media_type)
        for media_type in (
            *("image/png", "IMAGE/PNG; q=1", "image/svg+xml", "video/mp4", "audio/x-own"),
            *("text/event-stream; charset=utf-8", "application/grpc", "application/grpc+proto"),
            *("application/grpcish", "application/zip", "font/woff2", "text", "; ", "é/é"),
        )
    ),
)


def _messages(name: str, *messages: dict[str, Any]) -> Part:
    async def app(world: World, scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(
                {
                    **message,
                    **({"headers": list(message["headers"])} if "headers" in message else {}),
                }
            )

    app.__name__ = name
    return asgi(app)


def _start(**more: Any) -> dict[str, Any]:
    return {"type": Start, "status": 200, "headers": [(b"content-length", b"6")], **more}


def _piece(body: Any = None, more_body: bool | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": Body}
    if body is not None:
        found["body"] = body
    if more_body is not None:
        found["more_body"] = more_body
    return found


TRAILERS = {"type": "http.response.trailers", "headers": [(b"a", b"b")]}
HINT = {"type": "http.response.early_hint", "links": [b"</a>"]}
PATHSEND = {"type": "http.response.pathsend", "path": "/etc/hostname"}
SENT = (
    _messages("trailers", _start(trailers=True), _piece(LONG), TRAILERS),
    _messages("no_trailers", _start(trailers=False), _piece(LONG)),
    _messages("piecewise", _start(), _piece(LONG, True), _piece(b"", True), _piece(LONG, False)),
    _messages("empty_first", _start(), _piece(b"", True), _piece(LONG, True), _piece()),
    _messages("small_last", _start(), _piece(b"a", True), _piece(b"b", True), _piece(b"")),
    _messages("views", _start(), _piece(memoryview(LONG), True), _piece(memoryview(b"end"))),
    _messages("sends_path", _start(), PATHSEND),
    _messages("path_of_image", _start(headers=[(b"content-type", b"image/png")]), PATHSEND),
    _messages("hints", HINT, _start(), HINT, _piece(LONG)),
    _messages(
        "pieces_of_image",
        _start(headers=[(b"content-type", b"image/png")]),
        _piece(LONG, True),
        _piece(b""),
    ),
    _messages(
        "streamed_trailers", _start(trailers=True), _piece(LONG, True), TRAILERS, _piece(LONG)
    ),
    _messages("bare_body", _start(), {"type": Body}),
    _messages(
        "long_bare", _start(headers=[(b"Content-Type", b"text/x"), (b"vary", b"a")]), _piece(LONG)
    ),
    _messages("debug", {"type": "http.response.debug", "info": {}}, _start(), _piece(LONG)),
    _messages("start_only", _start()),
    _messages("two_starts", _start(status=201), _start(status=202), _piece(LONG)),
    _messages("after_the_end", _start(), _piece(LONG), _piece(LONG), _piece(b"more")),
    _messages("body_without_start", _piece(LONG)),
    _messages(
        "pushes", {"type": "http.response.push", "path": "/", "headers": []}, _start(), _piece(b"")
    ),
)
OPTIONS: tuple[dict[str, Any], ...] = (
    *({}, {"minimum_size": 20}, {"minimum_size": 0}, {"minimum_size": 20, "compresslevel": 1}),
    {"minimum_size": 20, "compresslevel": 0},
    {"minimum_size": 0, "exclude_content_types": ("Text/Plain; x", "application/*")},
    {"minimum_size": 0, "exclude_content_types": ()},
)
STREAMED = (*streaming.STREAMS, streaming.pausing)


def gzip(**options: Any) -> Part:
    return kit("GZip", **options)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_bodies_of_all_kinds(mode: Mode, number: int) -> None:
    """By size, type, status and encoding; whole, in pieces, and what is no piece of a body."""
    layer = gzip(**OPTIONS[number])
    below = (*SIZES, *KINDS, *SENT, *VARIES, odd_headers, answering.in_thread, answering.cookies)
    check(mode, *(Scene(Served(e, (layer,)), VISITS[:3]) for e in (*below, *raw.RAW)))


@pytest.mark.parametrize("number", range(3))
def test_streams(mode: Mode, number: int) -> None:
    """Compressed piece by piece; files, whole and in part."""
    layer = gzip(**OPTIONS[number])
    ranged = Visit(PATH, headers=h(accept_encoding="gzip", range="bytes=0-9"))
    sent = Visit(PATH, headers=h(accept_encoding="gzip"), extra=files.PATHSEND)
    for e in (*STREAMED, files.file, files.big_file, failing.stream_boom_later, failing.mid_body):
        check(mode, Scene(Served(e, (layer,)), (*VISITS, ranged, sent)))
    scenes = (Scene(Served(e, (layer,)), VISITS) for e in (*STREAMED, *SIZES))
    check(mode, *scenes, backend="trio")


def test_what_the_client_accepts(mode: Mode) -> None:
    """It looks for the word, and nothing else."""
    visits = [Visit(PATH, headers=h(accept_encoding=value)) for value in ACCEPTS]
    visits.append(Visit(PATH, headers=h(accept_encoding="br") + h(accept_encoding="gzip")))
    visits.append(Visit(PATH, headers=h(accept_encoding="gzip") + h(accept_encoding="br")))
    visits += [Visit("/none", headers=GZIP.headers), Visit(PATH, type="websocket")]
    for e in (KINDS[0], answering.long, failing.boom, failing.http):
        check(mode, Scene(Served(e, (gzip(),)), tuple(visits)))


def test_large_bodies_go_to_a_thread(mode: Mode) -> None:
    """From a size on, whole and in pieces, beside those that do not."""
    for size in (1, 100, 1000, 1001, None):
        options = {"minimum_size": 20} | ({} if size is None else {"thread_minimum_size": size})
        for e in (KINDS[0], streaming.many, answering.long, SENT[2], SENT[5], SIZES[-1]):
            scene = Scene(Served(e, (gzip(**options),)), VISITS)
            check(mode, scene)
            check(mode, scene, backend="trio")


def own_call(base: Any, world: World, who: str) -> Any:
    class Own(base):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.tell(who, "own", scope["type"])
            await super().__call__(scope, receive, send)

    return Own


def own_sizes(base: Any, world: World, who: str) -> Any:
    class Own(base):
        minimum_size = property(lambda self: 30, lambda self, value: None)

    return Own


def _set(**attributes: Any) -> Any:
    def change(world: World) -> None:
        for name, value in attributes.items():
            setattr(stack_of(world), name, value)

    return change


def test_subclasses_and_changes(mode: Mode) -> None:
    """Its attributes are asked for at each request."""
    changes = (
        *(_set(minimum_size=10_000), _set(minimum_size=1), _set(compresslevel=0)),
        *(_set(exclude_content_types=("text/plain",)), _set(thread_minimum_size=1)),
    )
    for e in (KINDS[0], streaming.many, SIZES[4]):
        for derive in (own_call, own_sizes):
            layer = subclassed("GZip", derive, minimum_size=20)
            check(mode, Scene(Served(e, (layer,)), VISITS))
        for change in changes:
            steps = (*VISITS[:2], change, *VISITS[:2])
            check(mode, Scene(Served(e, (gzip(minimum_size=20),)), steps))


def test_a_compressor_that_is_patched(mode: Mode) -> None:
    """The module's own functions are looked up late, on stock."""
    patched = mock.patch(
        "starlette.middleware.gzip.GZipResponder._compress_body", return_value=b"!"
    )
    with patched:
        scenes = [Scene(Served(e, (gzip(),)), VISITS) for e in (KINDS[0], KINDS[3])]
        check(mode, *scenes)


def test_among_others(mode: Mode) -> None:
    """Above, below and around other middleware; twice; and in other places."""
    layer, other = gzip(minimum_size=20), gzip(minimum_size=100, compresslevel=3)
    stacks: tuple[tuple[Part, ...], ...] = (
        *((layer, dispatches.header), (dispatches.header, layer), (layer, other), (other, layer)),
        *((layers.both, layer, layers.sends), (dispatches.drops_after_reading, layer)),
        *((layer, dispatches.wraps_body, layers.marks), (layer, kit("CORS"), dispatches.changes)),
        (layer, dispatches.returns_other_kinds),
        # One message stays one on its way up, and two stay two.
        (dispatches.header, layer, kit("CORS")),
        (dispatches.header, layer, kit("Session", secret_key="k"), kit("CORS")),
        (dispatches.header, layer, kit("Session", secret_key="k"), dispatches.header),
        (dispatches.header, layer, other),
    )
    below = (KINDS[0], streaming.many, answering.json, files.file, SENT[2], SENT[6])
    for stack in stacks:
        for place in ("app", "raw"):
            served = [Served(e, stack, place) for e in below]
            # Read by nobody, how much there is of a stream is not certain.
            check(mode, *(Scene(s, VISITS[:2], unheard=("stream",)) for s in served))
    for half in HALVES:
        check(half, *(Scene(Served(e, stacks[0]), VISITS) for e in below))


@st.composite
def sent(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    pieces = [
        _piece(choose.of((b"", b"a", LONG, LONG[:19], None, memoryview(LONG))), True)
        for _ in range(choose.number(0, 4))
    ]
    pieces.append(_piece(choose.of((b"", b"a", LONG, None)), choose.of((None, False))))
    types = (b"text/plain", b"image/png", b"application/json; x=1")
    headers = [(b"content-type", choose.of(types)), (b"content-length", b"9"), (b"vary", b"a")]
    headers = [pair for pair in headers if not choose.seldom(3)]
    if choose.seldom(5):
        headers.append((b"content-encoding", b"br"))
    start = _start(status=choose.of((200, 200, 206, 404)), headers=headers)
    below = _messages("generated", start, *pieces)
    layers_above = (gzip(**choose.of(OPTIONS)),)
    if choose.seldom(3):
        layers_above += (gzip(minimum_size=20),)
    accepts = Visit(PATH, headers=h(accept_encoding=choose.of(ACCEPTS[:4])))
    return Scene(Served(below, layers_above, choose.of(("app", "raw"))), (accepts, GZIP))


@given(scene=sent())
@examples(1 / 2)
def test_messages_of_any_kind(mode: Mode, scene: Any) -> None:
    """Pieces, headers and options that are not thought of by hand."""
    check(mode, scene)


def test_it_can_be_read(mode: Mode) -> None:
    """What is compressed is the body, for the tests compare only bytes with bytes."""
    scene = Scene(Served(SIZES[-1], (gzip(),)), (GZIP,))
    _, outcome = play_all(mode, [scene])[0]
    body = ast.literal_eval(outcome["messages"][1]["body"])
    assert zlib.decompress(body, 16 + zlib.MAX_WBITS) == b"x" * 5000
