"""Programs about each middleware by itself."""

from __future__ import annotations

from typing import Any

from tests.defects.answer_programs import bodies, serving
from tests.defects.program import program
from tests.fast_path.serving import Names, get, post

ORIGINS = [(b"origin", b"https://a.example"), (b"origin", b"https://b.example")]


PREFLIGHT = [
    (b"access-control-request-method", b"PUT"),
    (b"access-control-request-headers", b"X-A, X-B"),
]


def hello(names: Names, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: names.PlainTextResponse("hello", headers=given)


@program
def cross_origins(names: Names) -> Any:
    """Who may ask from where, with settings that are changed in between."""
    settings: dict[str, Any] = {
        "allow_origins": ["https://a.example"],
        "allow_methods": ["PUT"],
        "allow_headers": ["X-A"],
        "expose_headers": ["x-e"],
        "max_age": 5,
    }
    make = names.Middleware
    apps = [
        serving(names, hello(names, vary="Accept"), make(names.CORSMiddleware, **settings)),
        serving(names, hello(names), make(names.CORSMiddleware, allow_origins=["*"])),
        serving(
            names,
            hello(names, access_control_allow_origin="mine"),
            make(names.CORSMiddleware, allow_origins=["*"], allow_credentials=True),
        ),
    ]
    first = apps[0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[int(scope["query_string"])](scope, receive, send)

    asks = [
        get("/", *headers, method=method, query=b"%d" % number)
        for number in range(len(apps))
        for method in ("GET", "OPTIONS")
        for headers in ([], ORIGINS[:1], ORIGINS[1:], [ORIGINS[0], *PREFLIGHT], PREFLIGHT[:1])
    ]

    def change() -> None:
        cors = first.middleware_stack.app
        cors.allow_origins = ["https://b.example"]
        cors.simple_headers["x-changed"] = "yes"
        cors.preflight_headers["x-changed"] = "yes"

    return app, [*asks, *asks, change, *asks]


@program
def compression(names: Names) -> Any:
    """What is compressed, for whom, and what it says of itself."""

    def answer(request: Any) -> Any:
        kind = request.url.query
        long = "hello " * 200

        async def chunks() -> Any:
            for chunk in (long, "", long):
                yield chunk

        made = {
            "long": lambda: names.PlainTextResponse(long),
            "short": lambda: names.PlainTextResponse("short"),
            "stream": lambda: names.StreamingResponse(chunks(), media_type="text/plain"),
            "encoded": lambda: names.PlainTextResponse(long, headers={"content-encoding": "x"}),
            "partial": lambda: names.PlainTextResponse(long, 206),
            "events": lambda: names.Response(long, media_type="text/event-stream"),
            "image": lambda: names.Response(long, media_type="image/png"),
            "vary": lambda: names.PlainTextResponse(long, headers={"vary": "Cookie"}),
        }
        return made[kind]()

    app = serving(names, answer, names.Middleware(names.GZipMiddleware))
    kinds = ("long", "short", "stream", "encoded", "partial", "events", "image", "vary")
    takes = (b"accept-encoding", b"gzip, br")
    asks = [get("/", *h, query=kind.encode()) for kind in kinds for h in ([takes], [])]

    def change() -> None:
        app.middleware_stack.app.minimum_size = 3
        app.middleware_stack.app.compresslevel = 1

    return app, [*asks, *asks, change, *asks]


@program
def sessions(names: Names) -> Any:
    """A session that is written, read, cleared, forged, and signed by another key."""

    def answer(request: Any) -> Any:
        kind = request.url.query
        if kind == "write":
            request.session["name"] = "value"
        elif kind == "clear":
            request.session.clear()
        elif kind == "read":
            return names.PlainTextResponse(repr(dict(request.session)))
        return names.PlainTextResponse("untouched")

    import itsdangerous

    make = names.Middleware
    app = serving(names, answer, make(names.SessionMiddleware, secret_key="s", max_age=60))
    data = b"eyJuYW1lIjogInZhbHVlIn0="  # {"name": "value"}
    signed = itsdangerous.TimestampSigner("s").sign(data)
    other = itsdangerous.TimestampSigner("other").sign(data)
    cookies = [
        [],
        [(b"cookie", b"session=" + signed)],
        [(b"cookie", b"a=b; session=" + signed + b"; c=d")],
        [(b"cookie", b"session=" + signed[:-1] + b"x")],
        [(b"cookie", b"session=" + other)],
        [(b"cookie", b"session=nothing")],
    ]
    kinds = (b"", b"read", b"write", b"clear")
    asks = [get("/", *cookie, query=kind) for cookie in cookies for kind in kinds]

    def change() -> None:
        sessions = app.middleware_stack.app
        sessions.signer = itsdangerous.TimestampSigner("other")
        sessions.max_age = None

    return app, [*asks, change, *asks]


@program
def hosts(names: Names) -> Any:
    """Hosts that are trusted, and those that are not; what came without TLS is redirected."""
    make = names.Middleware
    trusted = ["example.org", "*.sub.example", "www.www.example"]
    middleware = make(names.TrustedHostMiddleware, allowed_hosts=trusted)
    secure = make(names.HTTPSRedirectMiddleware)
    apps = [serving(names, hello(names), middleware), serving(names, hello(names), secure)]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[int(scope["query_string"])](scope, receive, send)

    known = ("example.org", "EXAMPLE.org:80", "a.sub.example", "sub.example", "www.example")
    asks = [
        get("/x", query=b"%d" % number, more=(("headers", [(b"host", host.encode())]), *scheme))
        for number in range(2)
        for host in (*known, "evil", "example.org:8443", "")
        for scheme in ((), (("scheme", "https"),))
    ]
    return app, asks * 2


@program
def body_limits(names: Names) -> Any:
    """A body that is too long is refused, as it was announced or as it arrives."""

    async def answer(request: Any) -> Any:
        return names.PlainTextResponse(repr(await request.body()))

    limit = names.Middleware(names.RequestBodyLimitMiddleware, max_body_size=5)
    app = serving(names, answer, limit)
    asks = [post("/", b"x" * size) for size in (0, 5, 6)]
    chunked = [get("/", method="POST", messages=bodies(b"xxx", b"y" * n)) for n in (2, 3)]
    return app, [*asks, *chunked] * 2


@program
def subclasses_of_middleware(names: Names) -> Any:
    """A method that a subclass overrides is called."""

    class Cors(names.CORSMiddleware):  # type: ignore[misc, name-defined]
        def is_allowed_origin(self, origin: str) -> bool:
            return origin.endswith("b.example")

    class Gzip(names.GZipMiddleware):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["log"].append("gzip")
            await super().__call__(scope, receive, send)

    make = names.Middleware
    app = serving(names, hello(names), make(Gzip), make(Cors, allow_origins=["https://a.example"]))
    asks = [get("/", origin) for origin in ORIGINS]

    def change() -> None:
        cors = app.middleware_stack.app.app
        cors.is_allowed_origin = lambda origin: True

    def replace() -> None:
        async def simple(scope: Any, receive: Any, send: Any, request_headers: Any) -> None:
            await names.PlainTextResponse("of its own")(scope, receive, send)

        app.middleware_stack.app.app.simple_response = simple

    def plain() -> None:
        cors = app.middleware_stack.app.app
        cors.__class__ = names.CORSMiddleware
        del cors.is_allowed_origin

    steps = [*asks * 2, change, *asks, plain, *asks * 2, replace, *asks]
    return app, steps
