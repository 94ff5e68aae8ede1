from drive import *
import asyncio, http, contextvars


def app1(ep, **kw):
    return S.Starlette(routes=[S.Route("/x", ep, methods=["GET", "POST"])], **kw)


def case_response_without_body():
    class R(S.Response):
        def __init__(self):
            self.status_code = 200
            self.raw_headers = [(b"a", b"b")]
            self.background = None

    async def ep(request):
        return R()

    return go(app1(ep), "/x")


def case_response_without_background():
    class R(S.Response):
        def __init__(self):
            self.status_code = 200
            self.raw_headers = [(b"a", b"b")]
            self.body = b""

    async def ep(request):
        return R()

    return go(app1(ep), "/x")


def case_response_changed_on_start():
    box = {}

    async def ep(request):
        box["r"] = S.Response(b"old", headers={"content-length": "3"})
        return box["r"]

    async def bg():
        box["bg"] = 1

    async def hook(m):
        if m["type"].endswith("start"):
            box["r"].body = b"new"
            box["r"].background = S.BackgroundTask(bg)

    out = go(app1(ep), "/x", send_hook=hook)
    return [out, "bg" in box]


def case_endpoint_replaces_send():
    sent = []

    class E(S.HTTPEndpoint):
        async def get(self, request):
            inner = self.send

            async def send(m):
                if m["type"].endswith("start"):
                    m = {**m, "headers": [*m["headers"], (b"x-own", b"1")]}
                await inner(m)

            self.send = send
            return S.PlainTextResponse("hi")

    app = S.Starlette(routes=[S.Route("/x", E)])
    return go(app, "/x")


def case_endpoint_allowed_methods_attr():
    class E(S.HTTPEndpoint):
        _allowed_methods = ["GET"]

        async def get(self, request):
            return S.PlainTextResponse("hi")

        async def post(self, request):
            return S.PlainTextResponse("hi")

    class F(S.HTTPEndpoint):
        def _allowed_methods(self):
            return ["GET"]

        async def get(self, request):
            return S.PlainTextResponse("hi")

    app = S.Starlette(routes=[S.Route("/x", E), S.Route("/f", F)])
    return [go(app, "/x", "/f", method=m) for m in ("GET", "HEAD", "POST", "PUT", "get", "BREW")]


def case_endpoint_new():
    class E(S.HTTPEndpoint):
        def __new__(cls, scope, receive, send):
            return S.PlainTextResponse("from new")(scope, receive, send)

        async def get(self, request):
            return S.PlainTextResponse("hi")

    app = S.Starlette(routes=[S.Route("/x", E)])
    return go(app, "/x")


def case_endpoint_property_method():
    log = []

    class E(S.HTTPEndpoint):
        @property
        def get(self):
            log.append("get")
            return self._g

        async def _g(self, request):
            return S.PlainTextResponse("hi")

        @property
        def post(self):
            log.append("post")
            raise RuntimeError("no post")

    app = S.Starlette(routes=[S.Route("/x", E)])
    return [go(app, "/x"), go(app, "/x", method="HEAD"), log]


def case_endpoint_request_attr():
    class E(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse(
                str(
                    [
                        request.scope is self.scope,
                        request.receive == self.receive,
                        type(request).__name__,
                        sorted(k for k in vars(self)),
                    ]
                )
            )

    app = S.Starlette(routes=[S.Route("/x", E)])
    return go(app, "/x")


def case_endpoint_kinds():
    class Call:
        async def __call__(self, request):
            return S.PlainTextResponse("call")

    class SyncCall:
        def __call__(self, request):
            return S.PlainTextResponse("synccall")

    import functools

    async def two(self_, request):
        return S.PlainTextResponse("p")

    class E(S.HTTPEndpoint):
        get = Call()
        post = SyncCall()
        put = functools.partial(two, None)
        patch = staticmethod(lambda request: S.PlainTextResponse("static"))

        @classmethod
        async def delete(cls, request):
            return S.PlainTextResponse("cls")

        def options(self, request):
            return S.PlainTextResponse("sync")

        query = None
        head = None
        method_not_allowed = staticmethod(lambda request: S.PlainTextResponse("mna", 405))

    class G(S.HTTPEndpoint):
        get = None

        def head(self, request):
            return None

        async def post(self, request):
            return None

        async def put(self, request):
            raise S.HTTPException(418)

        async def patch(self, request):
            return S.PlainTextResponse

        async def delete(self, request):
            async def a(scope, receive, send):
                await S.PlainTextResponse("asgi")(scope, receive, send)

            return a

    app = S.Starlette(
        routes=[S.Route("/x", E), S.Route("/g", G), S.Route("/m", E, methods=["GET", "POST"])]
    )
    return [
        go(app, "/x", "/g", "/m", method=m)
        for m in (
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "QUERY",
            "TRACE",
            "get",
            "",
        )
    ]


def case_odd_returns():
    async def asgi(scope, receive, send):
        await S.PlainTextResponse("asgi")(scope, receive, send)

    class Odd(S.Response):
        async def __call__(self, scope, receive, send):
            await super().__call__(scope, receive, send)

    class Slots(S.Response):
        __slots__ = ("q",)

    async def coro():
        pass

    vals = [
        None,
        1,
        "s",
        b"b",
        {},
        S.PlainTextResponse,
        asgi,
        Odd("o"),
        Slots("s"),
        S.Response(status_code=204),
        S.Response(memoryview(b"ab")),
        S.Response(b"x", media_type="text/plain; charset=x"),
    ]
    out = []
    for v in vals:

        async def ep(request):
            return v

        def sep(request):
            return v

        out += go(app1(ep), "/x") + go(app1(sep), "/x")

    async def ep(request):
        return coro

    out += go(app1(ep), "/x")
    return out


def case_construct_errors():
    out = []
    J, P, R, Re, St = (
        S.JSONResponse,
        S.PlainTextResponse,
        S.Response,
        S.RedirectResponse,
        S.StreamingResponse,
    )
    for f in (
        lambda: J(),
        lambda: J(1, foo=2),
        lambda: P(foo=1),
        lambda: P(1, 2, 3, 4, 5, 6),
        lambda: Re(),
        lambda: Re("/", 1, 2, 3, 4),
        lambda: P(5),
        lambda: P("x", status_code=None),
        lambda: J(1, status_code=None),
        lambda: J(1, None),
        lambda: J(1, "200"),
        lambda: J(1, headers={"a": 1}),
        lambda: J(1, headers={1: "a"}),
        lambda: J(1, headers={"é€": "a"}),
        lambda: J(1, headers=[("a", "b")]),
        lambda: P("é€", headers={"x": "€"}),
        lambda: Re(None),
        lambda: Re("/é\ud800"),
        lambda: Re("/x", status_code=None),
        lambda: J(object()),
        lambda: J({1, 2} and object),
        lambda: R().set_cookie(),
        lambda: J(1).set_cookie("a", "b", samesite="x"),
        lambda: P("x").set_cookie("a b"),
        lambda: P("x").set_cookie("a", 5),
        lambda: P("x").set_cookie("a", "b", zzz=1),
        lambda: R(object()),
        lambda: R(5),
        lambda: S.Request(),
        lambda: S.Request({"type": "websocket"}),
        lambda: S.Request({}),
        lambda: S.Request({"type": "http"}, 1, 2, 3),
        lambda: S.Router(bad=1),
        lambda: S.Router([1], True, None, None, []),
        lambda: S.Route(),
        lambda: S.Route("x", None),
        lambda: S.Route("/x"),
        lambda: S.Mount("x"),
        lambda: S.Mount("/x"),
        lambda: S.Mount(),
        lambda: S.Host("/h", None),
        lambda: S.Starlette(bad=1),
        lambda: S.Starlette(1, 2, 3, 4, 5, 6, 7),
        lambda: S.Router().url_path_for(),
        lambda: S.Router().url_path_for(None),
        lambda: S.Router().url_path_for("x", 1),
        lambda: S.HTTPEndpoint(),
        lambda: S.HTTPEndpoint({"type": "websocket"}, 1, 2),
        lambda: S.Route("/{x}/{x}", None),
        lambda: S.Route("/{x:zz}", None),
    ):
        out.append(attempt(lambda: [type(f()).__name__]))
    return out


def case_property_setters():
    out = []
    r = S.Request(
        {"type": "http", "headers": [], "path": "/", "query_string": b"", "method": "GET"}
    )
    for n in ("headers", "url", "query_params", "base_url", "cookies", "state", "method", "app"):
        out.append(attempt(setattr, r, n, 1))
        out.append(attempt(delattr, r, n))
    return out


def case_json_subclass_render_str():
    class R(S.JSONResponse):
        def render(self, content):
            return "é"

    async def ep(request):
        return R(1)

    return go(app1(ep), "/x")


def case_json_status_property():
    class R(S.JSONResponse):
        @property
        def status_code(self):
            return self._s

        @status_code.setter
        def status_code(self, v):
            self._s = 204 if v is None else int(v)

    async def ep(request):
        return R(1, status_code=None)

    async def ep2(request):
        return R(1, status_code="204")

    return go(app1(ep), "/x") + go(app1(ep2), "/x")


def case_plain_diamond_kwargs():
    class Tagged(S.Response):
        def __init__(self, content=None, *, tag=None, **kw):
            super().__init__(content, **kw)
            self.headers["x-tag"] = str(tag)

    class T(S.PlainTextResponse, Tagged):
        pass

    async def ep(request):
        return T("hi", tag="z")

    return go(app1(ep), "/x") + [attempt(lambda: T("hi").raw_headers)]


def case_cookie_diamond_kwargs():
    class C(S.Response):
        def set_cookie(self, key, value="", *, signed=False, **kw):
            super().set_cookie(key, value + ("s" if signed else ""), **kw)

    class T(S.JSONResponse, C):
        pass

    class P(S.PlainTextResponse, C):
        pass

    class Re(S.RedirectResponse, C):
        pass

    out = []
    for c in (T, P, Re):

        def f():
            r = c("/x")
            r.set_cookie("a", "b", signed=True)
            return r.raw_headers

        out.append(attempt(f))
    return out


def case_charset_read_when_it_is_needed():
    out = []
    for base in (S.Response, S.HTMLResponse, S.PlainTextResponse, S.JSONResponse):
        for media_type in (None, "text/x", "text/x; charset=ascii", "TEXT/x", "application/x"):
            read = []

            class Mine(base):
                def render(self, content):
                    return content

                @property
                def charset(self):
                    read.append("charset")
                    return "latin-1"

            for headers in (None, {"Content-Type": "a/b"}, {"content-length": "9"}):
                made = Mine(b"a", headers=headers, media_type=media_type)
                out.append([norm(made.raw_headers), len(read)])
    return out


def case_charset_that_is_no_text():
    out = []
    for charset in (None, 1, ["utf-8"], "\u20ac", type("Text", (str,), {})("utf-8")):
        for base in (S.Response, S.HTMLResponse, S.PlainTextResponse):
            for media_type in (None, "text/x", "application/x", "text/\u20ac", 7):
                cls = type("Mine", (base,), {"charset": charset})
                out.append(attempt(lambda: cls(b"a", media_type=media_type).raw_headers))
    return out
