"""Each middleware that turbostar has a stage for, without Starlette's own."""

from __future__ import annotations

from typing import Any

from tests.fast_path.case import case
from tests.fast_path.serving import Names, get, post


def application(names: Names, *middleware: Any, body: bytes = b"hello") -> Any:
    """An application with one route below the middleware."""

    async def endpoint(request: Any) -> Any:
        return names.Response(body, media_type="text/plain")

    return names.Starlette(routes=[names.Route("/", endpoint)], middleware=middleware)


ORIGIN = (b"origin", b"https://example.org")


@case(
    (
        "middleware.cors:CORSMiddleware.__call__",
        "middleware.cors:CORSMiddleware.simple_response",
        "middleware.cors:CORSMiddleware.send",
        "datastructures:MutableHeaders.update",
        "datastructures:MutableHeaders.__setitem__",
    )
)
def cors(names: Names) -> Any:
    """CORS adds its headers to an answer."""
    settings = {"allow_origins": ["https://example.org"], "allow_credentials": True}
    return application(names, names.Middleware(names.CORSMiddleware, **settings)), [
        get("/", ORIGIN),
        get("/"),
    ]


@case(
    (
        "middleware.cors:CORSMiddleware.__call__",
        "middleware.cors:CORSMiddleware.preflight_response",
        "middleware.cors:CORSMiddleware.is_allowed_origin",
    )
)
def cors_preflight(names: Names) -> Any:
    """The answer to a preflight that was asked before is remembered."""
    settings = {"allow_origins": ["https://example.org"], "allow_methods": ["GET", "PUT"]}
    asked = (b"access-control-request-method", b"PUT")
    app = application(names, names.Middleware(names.CORSMiddleware, **settings))
    return app, [get("/", ORIGIN, asked, method="OPTIONS")]


@case(
    (
        "middleware.gzip:GZipMiddleware.__call__",
        "middleware.gzip:IdentityResponder.__init__",
        "middleware.gzip:IdentityResponder.__call__",
        "middleware.gzip:IdentityResponder.send_with_compression",
        "middleware.gzip:GZipResponder.apply_compression",
        "datastructures:MutableHeaders.add_vary_header",
    )
)
def gzip(names: Names) -> Any:
    """GZip compresses what is long enough, for who takes it, and leaves everything else."""
    takes = (b"accept-encoding", b"gzip")
    app = application(names, names.Middleware(names.GZipMiddleware), body=b"hello " * 200)
    short = application(names, names.Middleware(names.GZipMiddleware))

    async def both(scope: Any, receive: Any, send: Any) -> None:
        await (short if scope["query_string"] else app)(scope, receive, send)

    return both, [get("/", takes), get("/"), get("/", takes, query=b"short")]


@case(
    (
        "middleware.sessions:SessionMiddleware.__call__",
        "middleware.sessions:SessionMiddleware.__call__.<locals>.send_wrapper",
        "requests:HTTPConnection.cookies",
        "datastructures:Headers.__init__",
    )
)
def session_that_is_read(names: Names) -> Any:
    """A session is read from its cookie, whose signature has a fixed time here."""
    import itsdangerous

    data = "eyJuYW1lIjogInZhbHVlIn0="  # {"name": "value"}
    signed = itsdangerous.TimestampSigner("secret").sign(data)

    async def endpoint(request: Any) -> Any:
        return names.PlainTextResponse(request.session["name"])

    app = names.Starlette(
        routes=[names.Route("/", endpoint)],
        middleware=[names.Middleware(names.SessionMiddleware, secret_key="secret")],
    )
    return app, [get("/", (b"cookie", b"session=" + signed))]


@case(
    (
        "middleware.trustedhost:TrustedHostMiddleware.__call__",
        "datastructures:Headers.__init__",
    )
)
def trusted_host(names: Names) -> Any:
    """A host that is trusted is let pass by its raw header."""
    hosts = ["example.com", "example.org"]
    middleware = names.Middleware(names.TrustedHostMiddleware, allowed_hosts=hosts)
    return application(names, middleware), [get("/")]


@case(("middleware.httpsredirect:HTTPSRedirectMiddleware.__call__",))
def https_redirect(names: Names) -> Any:
    """What did not come by TLS is redirected; the rest is let pass."""
    app = application(names, names.Middleware(names.HTTPSRedirectMiddleware))
    return app, [get("/"), get("/", more=(("scheme", "https"),))]


@case(
    (
        "middleware.body_limit:RequestBodyLimitMiddleware.__call__",
        "middleware.body_limit:RequestBodyLimitResponder.__call__",
        "middleware.body_limit:RequestBodyLimitResponder.receive_with_limit",
        "middleware.body_limit:RequestBodyLimitResponder.send_with_limit",
        "middleware.body_limit:_get_content_length",
    )
)
def body_limit(names: Names) -> Any:
    """The bytes of a body are counted without Starlette's responder."""

    async def endpoint(request: Any) -> Any:
        return names.Response(await request.body())

    app = names.Starlette(
        routes=[names.Route("/", endpoint, methods=["POST"])],
        middleware=[names.Middleware(names.RequestBodyLimitMiddleware, max_body_size=10)],
    )
    return app, [post("/", b"0123456789"), post("/", b"0123456789a")]


CALL_NEXT = (
    "middleware.base:BaseHTTPMiddleware.__call__",
    "middleware.base:BaseHTTPMiddleware.__call__.<locals>.call_next",
    "middleware.base:BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.send_no_error",
    "middleware.base:_StreamingResponse.__init__",
    "middleware.base:_StreamingResponse.__call__",
)


def passing(names: Names) -> Any:
    """A middleware that adds a header to the answer."""

    async def dispatch(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-passed"] = "yes"
        return response

    return names.Middleware(names.BaseHTTPMiddleware, dispatch=dispatch)


@case(CALL_NEXT)
def call_next(names: Names) -> Any:
    """One, and three BaseHTTPMiddleware have no stream between them."""
    one = application(names, passing(names))
    three = application(names, *(passing(names) for _ in range(3)))

    async def both(scope: Any, receive: Any, send: Any) -> None:
        await (three if scope["query_string"] else one)(scope, receive, send)

    return both, [get("/"), get("/", query=b"three")]


@case(
    (
        *CALL_NEXT,
        "middleware.base:_CachedRequest.wrapped_receive",
        "middleware.base:BaseHTTPMiddleware.__call__.<locals>.call_next"
        ".<locals>.receive_or_disconnect",
    )
)
def call_next_with_a_body(names: Names) -> Any:
    """The body of a request is read below without Starlette's wrappers."""

    async def endpoint(request: Any) -> Any:
        return names.Response(await request.body())

    app = names.Starlette(
        routes=[names.Route("/", endpoint, methods=["POST"])], middleware=[passing(names)]
    )
    return app, [post("/", b"0123456789")]
