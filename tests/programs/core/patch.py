from drive import *
import asyncio
from unittest import mock
import starlette.routing, starlette.requests, starlette.responses, starlette.endpoints, starlette.applications, starlette.middleware.exceptions, starlette.middleware.errors, starlette._exception_handler, starlette._utils, starlette.datastructures, starlette.convertors


def ok(name):
    async def ep(request):
        return S.PlainTextResponse(f"{name} {type(request).__name__}")

    return ep


def mk():
    class E(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse(type(request).__name__)

        def post(self, request):
            return S.PlainTextResponse(type(request).__name__)

    def sync(request):
        return S.PlainTextResponse("sync " + type(request).__name__)

    async def ws(w):
        await w.accept()
        await w.send_text(type(w).__name__)
        await w.close()

    async def err(request):
        raise S.HTTPException(410, "gone")

    async def boom(request):
        raise ValueError("b")

    async def js(request):
        return S.JSONResponse({"a": 1.5, "t": type(request).__name__})

    async def rj(request):
        return S.PlainTextResponse(repr(await request.json()))

    return S.Starlette(
        routes=[
            S.Route("/x", ok("x")),
            S.Route("/e", E),
            S.Route("/s", sync),
            S.WebSocketRoute("/w", ws),
            S.Route("/err", err),
            S.Route("/boom", boom),
            S.Route("/slash/", ok("s")),
            S.Route("/js", js),
            S.Route("/rj", rj, methods=["POST"]),
            S.Mount("/m", routes=[S.Route("/x", ok("mx"))]),
        ]
    )


def all_(app):
    out = go(
        app,
        "/x",
        "/e",
        "/s",
        "/err",
        "/boom",
        "/slash",
        "/nope",
        "/js",
        "/m/x",
        "/m/nope",
        with_scope=False,
    )
    out += go(app, "/e", "/x", "/rj", method="POST", body=b'{"a": 1}', with_scope=False) + go(
        app, "/w", "/nope", type="websocket", with_scope=False
    )
    out.append(attempt(app.url_path_for, "ep"))
    return out


def sub(base, tag):
    return type(tag, (base,), {})


def patches():
    R, Q, P, E, A, X, V, H, U, D = (
        starlette.routing,
        starlette.requests,
        starlette.responses,
        starlette.endpoints,
        starlette.applications,
        starlette.middleware.exceptions,
        starlette.middleware.errors,
        starlette._exception_handler,
        starlette._utils,
        starlette.datastructures,
    )

    class Resp(starlette.responses.PlainTextResponse):
        def render(self, c):
            return b"P:" + super().render(c)

    class Redir(starlette.responses.RedirectResponse):
        def __init__(self, url, status_code=308):
            super().__init__(url, status_code)

    class Fake:
        loads = staticmethod(lambda b: "fake-loads")
        dumps = staticmethod(lambda *a, **k: "fake-dumps")
        decoder = __import__("json").decoder
        JSONDecodeError = ValueError

    async def rit(f, *a, **k):
        return f(*a, **k) if not (a and "x" == a) else None

    async def rit2(f, *a, **k):
        r = f(*a, **k)
        r.headers["x-rit"] = "1"
        return r

    class HE(starlette.exceptions.HTTPException):
        def __init__(self, status_code, detail=None, headers=None):
            super().__init__(status_code, "patched " + str(detail), headers)

    def sem(base):
        class Sem(base):
            def error_response(self, request, exc):
                return starlette.responses.PlainTextResponse("sem", 500)

            def debug_response(self, request, exc):
                return starlette.responses.PlainTextResponse("sem", 500)

        return Sem

    class Exm(starlette.middleware.exceptions.ExceptionMiddleware):
        async def http_exception(self, request, exc):
            return starlette.responses.PlainTextResponse("exm", exc.status_code)

    class Url(starlette.datastructures.URL):
        def __str__(self):
            return "http://patched/"

    rp = starlette.routing.RedirectResponse

    class PC(starlette.convertors.PathConvertor):
        regex = ".*"
        convert = lambda self, v: v.upper()

    yield "routing.PlainTextResponse", R, "PlainTextResponse", Resp
    yield "routing.RedirectResponse", R, "RedirectResponse", Redir
    yield "routing.HTTPException", R, "HTTPException", HE
    yield "routing.Request", R, "Request", sub(Q.Request, "MyRequest")
    yield "routing.WebSocket", R, "WebSocket", sub(R.WebSocket, "MyWS")
    yield "routing.URL", R, "URL", Url
    yield "routing.run_in_threadpool", R, "run_in_threadpool", rit2
    yield "routing.is_async_callable", R, "is_async_callable", lambda f: True
    yield (
        "routing.WebSocketClose",
        R,
        "WebSocketClose",
        lambda: starlette.websockets.WebSocketClose(4999),
    )
    yield "endpoints.Request", E, "Request", sub(Q.Request, "MyRequest")
    yield "endpoints.run_in_threadpool", E, "run_in_threadpool", rit2
    yield "endpoints.is_async_callable", E, "is_async_callable", lambda f: False
    yield "endpoints.PlainTextResponse", E, "PlainTextResponse", Resp
    yield "endpoints.HTTPException", E, "HTTPException", HE
    yield "exceptions.PlainTextResponse", X, "PlainTextResponse", Resp
    yield "exceptions.Request", X, "Request", sub(Q.Request, "MyRequest")
    yield "exceptions.Response", X, "Response", Resp
    yield "errors.PlainTextResponse", V, "PlainTextResponse", Resp
    yield (
        "applications.ServerErrorMiddleware",
        A,
        "ServerErrorMiddleware",
        sem(V.ServerErrorMiddleware),
    )
    yield "applications.ExceptionMiddleware", A, "ExceptionMiddleware", Exm
    yield (
        "applications.Router",
        A,
        "Router",
        type(
            "MyRouter",
            (S.Router,),
            {
                "__call__": lambda self, s, r, se: starlette.responses.PlainTextResponse(
                    "myrouter"
                )(s, r, se)
            },
        ),
    )
    yield "applications.Middleware", A, "Middleware", starlette.middleware.Middleware
    yield "requests.json", Q, "json", Fake
    yield "responses.json", P, "json", Fake
    yield "json.loads", __import__("json"), "loads", Fake.loads
    yield "json.dumps", __import__("json"), "dumps", Fake.dumps
    yield "_exception_handler.run_in_threadpool", H, "run_in_threadpool", rit2
    yield "_exception_handler.is_async_callable", H, "is_async_callable", lambda f: True
    yield "_exception_handler._lookup", H, "_lookup_exception_handler", lambda h, e: None
    yield "PlainTextResponse.media_type", P.PlainTextResponse, "media_type", "text/patched"
    yield "PlainTextResponse.charset", P.PlainTextResponse, "charset", "utf-16"
    yield "PlainTextResponse.render", P.PlainTextResponse, "render", lambda self, c: b"rendered"
    yield (
        "PlainTextResponse.init_headers",
        P.PlainTextResponse,
        "init_headers",
        lambda self, h=None: setattr(self, "raw_headers", [(b"p", b"q")]),
    )
    yield (
        "PlainTextResponse.__init__",
        P.PlainTextResponse,
        "__init__",
        lambda self, *a, **k: P.Response.__init__(self, b"init", 299),
    )
    yield (
        "Response.__call__",
        P.Response,
        "__call__",
        lambda self, s, r, se: se({"type": "patched"}),
    )
    yield (
        "PlainTextResponse.__call__",
        P.PlainTextResponse,
        "__call__",
        lambda self, s, r, se: se({"type": "patched"}),
    )
    yield "Response.render", P.Response, "render", lambda self, c: b"rr"
    yield "JSONResponse.render", P.JSONResponse, "render", lambda self, c: b"jr"
    yield "JSONResponse.media_type", P.JSONResponse, "media_type", "application/vnd"
    yield (
        "ExceptionMiddleware.http_exception",
        X.ExceptionMiddleware,
        "http_exception",
        Exm.http_exception,
    )
    yield (
        "Router.not_found",
        R.Router,
        "not_found",
        lambda self, s, r, se: starlette.responses.PlainTextResponse("nf")(s, r, se),
    )
    yield (
        "Router.redirect_slashes",
        R.Router,
        "app",
        lambda self, s, r, se: starlette.responses.PlainTextResponse("app")(s, r, se),
    )
    yield "Request.json", Q.Request, "json", rit2
    yield "Request.method", Q.Request, "method", "POST"
    yield (
        "HTTPConnection.scope",
        Q.HTTPConnection,
        "__init__",
        lambda self, scope, receive=None: setattr(self, "scope", dict(scope, patched=1)),
    )
    yield (
        "HTTPEndpoint.method_not_allowed",
        E.HTTPEndpoint,
        "method_not_allowed",
        lambda self, request: starlette.responses.PlainTextResponse("mna"),
    )
    yield "HTTPEndpoint.get", E.HTTPEndpoint, "put", None
    yield (
        "PathConvertor.convert",
        starlette.convertors.PathConvertor,
        "convert",
        lambda self, v: v.replace("x", "nope"),
    )
    yield "PathConvertor.regex", starlette.convertors.PathConvertor, "regex", "[a-w]+"
    yield "StringConvertor.regex", starlette.convertors.StringConvertor, "regex", "[a-w]+"
    yield "CONVERTOR path", starlette.convertors.CONVERTOR_TYPES, "path", PC()
    yield "Route.__call__", R.Route, "__call__", rit2
    yield "Match", R, "Match", R.Match
    yield "routing.Mount.routes", R.Mount, "routes", property(lambda self: [])
    yield "URLPath.make_absolute_url", D.URLPath, "make_absolute_url", lambda self, base_url: "abs"
    yield "HTTPConnection.url", Q.HTTPConnection, "url", property(lambda self: "u")
    yield (
        "routing.compile_path",
        R,
        "compile_path",
        lambda p: (__import__("re").compile("^/nope$"), p, {}),
    )
    yield "routing.get_name", R, "get_name", lambda e: "patched"
    yield "routing.replace_params", R, "replace_params", lambda p, c, q: ("/rp", {})
    yield "routing.functools", R, "functools", R.functools


def setit(o, n, v):
    if isinstance(o, dict):
        old = o[n]
        o[n] = v
        return lambda: o.__setitem__(n, old)
    p = mock.patch.object(o, n, v, create=True)
    p.start()
    return p.stop


def _one(tag):
    for t, o, n, v in patches():
        if t == tag:
            out = []
            early = mk()
            undo = setit(o, n, v)
            built_under = None
            try:
                built_under = mk()
                out.append(["patched before first request", all_(built_under), all_(built_under)])
                out.append(["patched, built before", all_(early), all_(early)])
            except BaseException as e:
                out.append(exc_of(e))
            undo()
            try:
                out.append(["undone", all_(built_under) if built_under else None, all_(early)])
            except BaseException as e:
                out.append(exc_of(e))
            app = mk()
            out.append(["warm", all_(app), all_(app)])
            undo = setit(o, n, v)
            try:
                out.append(["patched while serving", all_(app), all_(app)])
            except BaseException as e:
                out.append(exc_of(e))
            undo()
            try:
                out.append(["undone2", all_(app), all_(app)])
            except BaseException as e:
                out.append(exc_of(e))
            return out


for _i, (_t, *_) in enumerate(patches()):
    if True:
        globals()["case_" + _t.replace(".", "_").replace(" ", "_")] = (lambda t: lambda: _one(t))(
            _t
        )


def case_json_init_that_takes_less():
    import starlette.responses

    cls = starlette.responses.JSONResponse
    old = cls.__init__
    seen = []

    def init(self, content, status_code=200, **kwargs):
        seen.append([status_code, sorted(kwargs)])
        old(self, content, status_code, **kwargs)

    cls.__init__ = init
    made = [S.JSONResponse([1]), S.JSONResponse([1], 201), S.JSONResponse([1], headers={"a": "b"})]
    return [seen, [norm(one.raw_headers) for one in made]]


def case_redirect_init_replaced():
    import starlette.responses

    async def slash(request):
        return S.RedirectResponse("/x", status_code=303)

    app = S.Starlette(routes=[S.Route("/go", slash), S.Route("/slash/", slash)])
    out = [go(app, "/go", "/slash")]
    cls = starlette.responses.RedirectResponse
    old = cls.__init__

    def init(self, url, *args, **kwargs):
        out.append(sorted(kwargs))
        old(self, "/elsewhere", *args, **kwargs)

    cls.__init__ = init
    out.append(go(app, "/go", "/slash"))
    cls.__init__ = old
    return [*out, go(app, "/go", "/slash")]


def case_parts_of_url_replaced():
    import starlette.datastructures

    async def urls(request):
        made = [request.url_for(name) for name in ("here", "socket")]
        return S.PlainTextResponse(" ".join(map(str, made)))

    async def socket(websocket):
        await websocket.close()

    routes = [S.Route("/", urls, name="here"), S.WebSocketRoute("/w", socket, name="socket")]
    app = S.Starlette(routes=routes)
    cls = starlette.datastructures.URL
    out = [go(app, "/")]
    for name, value in {
        "netloc": "public.io",
        "is_secure": True,
        "scheme": "https",
        "path": "/below/",
    }.items():
        old = vars(cls)[name]
        setattr(cls, name, property(lambda self, value=value: value))
        out.append([name, go(app, "/", with_scope=False)])
        setattr(cls, name, old)
    return [*out, go(app, "/")]


def case_websocket_init_replaced():
    import starlette.websockets

    async def socket(websocket):
        await websocket.accept()
        await websocket.close()

    from starlette.websockets import WebSocket

    routes = [
        S.WebSocketRoute("/w", socket),
        S.Mount("/m", routes=[S.WebSocketRoute("/w", socket)]),
    ]
    apps = [
        S.Starlette(routes=routes),
        S.middleware_exceptions.ExceptionMiddleware(S.Router(routes)),
    ]
    old = WebSocket.__init__
    out = []

    def init(self, *args, **kwargs):
        out.append([len(args), sorted(kwargs)])
        old(self, *args, **kwargs)

    for app in apps:
        for cls_init in (old, init, old, init):
            WebSocket.__init__ = cls_init
            out.append(go(app, "/w", "/m/w", "/none", type="websocket"))
    WebSocket.__init__ = old
    return out
