from drive import *
import asyncio, threading, gc, sys, contextvars, dataclasses, collections


def ok(name):
    async def ep(request):
        return S.PlainTextResponse(f"{name}")

    return ep


def case_json_default_misuse():
    out = []

    class Obj:
        pass

    class A(S.JSONResponse):
        json_default = None

    class B(S.JSONResponse):
        json_default = "not callable"

    class C(S.JSONResponse):
        def render(self, content):
            return super().render({"w": content})

    class D(S.JSONResponse):
        def render(self, content):
            return __import__("json").dumps(content, default=str).encode()

    class E(S.JSONResponse):
        def __init__(self, content, *a, **k):
            super().__init__({"e": content}, *a, **k)

    class F(S.JSONResponse):
        def __init__(self, content=None, **k):
            super().__init__(content=content, **k)

    class G(S.JSONResponse):
        @staticmethod
        def render(content):
            return b"static"

    class H(S.JSONResponse):
        @property
        def media_type(self):
            return "application/prop"

    for c in (A, B, C, D, E, F, G, H):
        for v in ({"a": 1}, [1, 2.5], None, float("nan"), {1: 2}):
            for k in (
                {},
                {"status_code": 201},
                {"headers": {"x": "y"}},
                {"media_type": "a/b"},
                {"background": S.BackgroundTask(print)},
            ):

                def f():
                    r = c(v, **k)
                    return [
                        r.body,
                        r.raw_headers,
                        r.status_code,
                        r.media_type,
                        r.background is None,
                    ]

                out.append(attempt(f))
    return out


def case_json_buffer_subclasses():
    out = []

    class DB(dict):
        def items(self):
            return [("own", 1)]

        def __buffer__(self, flags):
            return memoryview(b"x")

    class LB(list):
        def __iter__(self):
            return iter(["own"])

        def __buffer__(self, flags):
            return memoryview(b"x")

    class SB(str):
        def __buffer__(self, flags):
            return memoryview(b"x")

    for v in (DB(a=1), LB([1]), [DB(a=1)], {"a": LB([1])}, [SB("x")], {SB("k"): 1}):
        out.append(attempt(lambda: S.JSONResponse(v).body))
    return out


def case_endpoint_push_under_basehttp():
    Base = S.middleware_base.BaseHTTPMiddleware

    class M(Base):
        async def dispatch(self, request, call_next):
            r = await call_next(request)
            r.headers["m"] = "1"
            return r

    async def ep(request):
        await request.send_push_promise("/p")
        return S.PlainTextResponse("x")

    async def ep2(request):
        f = request.send_early_hints
        await f("</a>")
        return S.PlainTextResponse("x")

    async def ep3(request):
        r = S.Request(request.scope, request.receive, request._send)
        await r.send_push_promise("/p")
        return S.PlainTextResponse("x")

    async def ep4(request):
        await getattr(request, "_se" + "nd")(
            {"type": "http.response.start", "status": 299, "headers": []}
        )
        raise ValueError("after")

    async def ep5(request):
        x = [request]
        await x[0]._send({"type": "http.response.start", "status": 299, "headers": []})
        raise S.HTTPException(404)

    async def ep6(request):
        me = request.state.__dict__
        return S.PlainTextResponse(str(sorted(me)))

    async def ep7(request, *a, q=1):
        return S.PlainTextResponse("seven")

    async def ep8(*args):
        return S.PlainTextResponse(str(len(args)))

    async def ep9(request):
        def inner():
            return request

        await inner()._send({"type": "http.response.start", "status": 298, "headers": []})
        return S.PlainTextResponse("x")

    out = []
    for mw in ([], [S.Middleware(M)], [S.Middleware(M), S.Middleware(M)]):
        app = S.Starlette(
            routes=[
                S.Route(f"/{i}", e)
                for i, e in enumerate((ep, ep2, ep3, ep4, ep5, ep6, ep7, ep8, ep9))
            ],
            middleware=mw,
        )
        out += go(
            app,
            *[f"/{i}" for i in range(9)],
            extensions={"http.response.push": {}, "http.response.early_hint": {}},
        )
    return out


def case_bare_router_and_routes():
    r = S.Router([S.Route("/x", ok("x")), S.Mount("/m", routes=[S.Route("/y/", ok("y"))])])
    out = (
        go(r, "/x", "/x/", "/m/y", "/m", "/q")
        + go(r, "/x", method="POST")
        + go(r, "/x", "/q", type="websocket")
    )
    for rt in r.routes:
        out += go(rt, "/x", "/m/y/", "/q")
    ex = S.middleware_exceptions.ExceptionMiddleware(r)
    out += go(ex, "/x", "/m/y", "/q") + go(ex, "/x", method="POST")
    se = S.middleware_errors.ServerErrorMiddleware(ex)
    out += go(se, "/x", "/q")

    async def boom(request):
        raise ValueError("b")

    ex2 = S.middleware_exceptions.ExceptionMiddleware(
        S.Router([S.Route("/b", boom)]),
        handlers={
            ValueError: lambda r, e: S.PlainTextResponse("hb"),
            404: lambda r, e: S.PlainTextResponse("h404"),
            405: lambda r, e: S.PlainTextResponse("h405"),
        },
    )
    out += go(ex2, "/b", "/q") + go(ex2, "/b", method="PUT")
    nested = S.Starlette(
        routes=[
            S.Mount(
                "/a",
                app=S.Starlette(
                    routes=[S.Mount("/b", app=ex2)],
                    exception_handlers={404: lambda r, e: S.PlainTextResponse("outer404")},
                ),
            )
        ]
    )
    out += go(nested, "/a/b/b", "/a/b/q", "/a/q", "/q") + go(nested, "/a/b/b", method="PUT")
    inner_first = S.Mount(
        "/c",
        app=S.Router(
            [S.Route("/b", boom)],
            middleware=[
                S.Middleware(
                    S.middleware_exceptions.ExceptionMiddleware,
                    handlers={ValueError: lambda r, e: S.PlainTextResponse("mid")},
                )
            ],
        ),
    )
    out += go(S.Starlette(routes=[inner_first]), "/c/b", "/c/q")
    return out


def case_deep_mounts():
    r = S.Router([S.Route("/x", ok("x"))])
    for i in range(60):
        r = S.Router([S.Mount(f"/p{i}" if i % 3 else "", app=r)])
    p = "".join(f"/p{i}" for i in reversed(range(60)) if i % 3)
    return go(r, p + "/x", p + "/x/", p, p[:-1])


def case_partial_shared_endpoint():
    import functools

    async def e(tag, request):
        return S.PlainTextResponse(tag)

    class Cls:
        async def m(self, request):
            return S.PlainTextResponse("m")

        async def __call__(self, request):
            return S.PlainTextResponse("called")

        @staticmethod
        async def st(request):
            return S.PlainTextResponse("st")

        @classmethod
        def cm(cls, request):
            return S.PlainTextResponse(cls.__name__)

    def gen(request):
        yield 1

    async def agen(request):
        yield 1

    lam = lambda request: S.PlainTextResponse("lam")
    out = []
    for i, ep in enumerate(
        (
            functools.partial(e, "p"),
            functools.partial(functools.partial(e), "pp"),
            Cls().m,
            Cls.st,
            Cls.cm,
            Cls(),
            lam,
            gen,
            agen,
            functools.partial(Cls()),
            functools.partial(lam),
            print,
        )
    ):
        out.append(
            attempt(lambda: go(S.Starlette(routes=[S.Route("/x", ep, methods=["GET"])]), "/x"))
        )
    return out


def case_leak_routers():
    async def one():
        r = S.Router([S.Route("/x", ok("x")), S.Mount("/m", routes=[S.Route("/y", ok("y"))])])
        for p in ("/x", "/m/y", "/q"):
            await drive(r, p)

    async def main():
        for _ in range(20):
            await one()
        gc.collect()
        a = len(gc.get_objects())
        for _ in range(100):
            await one()
        gc.collect()
        return len(gc.get_objects()) - a

    return abs(asyncio.run(main())) > 100


def case_leak_endpoints():
    async def main():
        app = S.Starlette(routes=[])

        def n():
            gc.collect()
            return len(gc.get_objects())

        async def one(i):
            ns = {"S": S}
            exec(f"async def ep(request): return S.PlainTextResponse('{i}')", ns)
            app.router.routes[:] = [S.Route(f"/x{i}", ns["ep"])]
            for _ in range(3):
                await drive(app, f"/x{i}", headers=[(b"host", f"h{i}.io".encode())])

        for i in range(50):
            await one(i)
        a = n()
        for i in range(50, 250):
            await one(i)
        return n() - a > 600

    return asyncio.run(main())


def case_contextvars_middleware():
    v = contextvars.ContextVar("v", default=0)

    async def ep(request):
        v.set(5)
        return S.PlainTextResponse("x")

    class M:
        def __init__(self, app):
            self.app = app

        async def __call__(self, s, r, se):
            await self.app(s, r, se)
            s["seen"] = v.get()

    app = S.Starlette(routes=[S.Route("/x", ep)], middleware=[S.Middleware(M)])
    return go(app, "/x")


def case_yield_points():
    # how often the loop is given a turn between receive and send
    log = []

    async def ep(request):
        log.append("ep")
        await asyncio.sleep(0)
        log.append("ep2")
        return S.PlainTextResponse("x")

    app = S.Starlette(routes=[S.Route("/x", ep)])

    async def main():
        async def other():
            for i in range(6):
                log.append(f"t{i}")
                await asyncio.sleep(0)

        async def hook(m):
            log.append(m["type"])
            await asyncio.sleep(0)

        await asyncio.gather(drive(app, "/x", send_hook=hook), other())

    asyncio.run(main())
    return log


def case_host_routes():
    out = []
    app = S.Starlette(
        routes=[
            S.Host(
                "{sub}.x.io",
                S.Router(
                    [
                        S.Route("/{sub}", ok("in")),
                        S.Mount("/m/{sub}", routes=[S.Route("/{q}", ok("mm"))]),
                    ]
                ),
                name="h",
            ),
            S.Host("x.io", ok("z")),
            S.Route("/{a}", ok("out")),
            S.Mount("/hm", routes=[S.Host("y.io", S.Router([S.Route("/k", ok("hk"))]))]),
        ]
    )
    for host in (b"a.x.io", b"A.X.IO:90", b"x.io", b"y.io", b"bad host", b"a.b.x.io", b"[::1]"):
        out += go(app, "/q", "/m/1/2", "/hm/k", "/", headers=[(b"host", host)])
    return out


def case_slots_and_generic_subclasses():
    out = []
    from typing import Generic, TypeVar

    T = TypeVar("T")

    class GR(S.Route, Generic[T]):
        pass

    class SR(S.Route):
        __slots__ = ("extra",)

    @dataclasses.dataclass
    class DR(S.Route):
        path: str
        endpoint: object = None

        def __post_init__(self):
            super().__init__(self.path, self.endpoint)

    @dataclasses.dataclass(eq=False)
    class DM(S.Mount):
        path: str

        def __post_init__(self):
            super().__init__(self.path, routes=[S.Route("/y", ok("dm"))])

    r = SR("/b", ok("b"))
    r.extra = 1
    app = S.Starlette(routes=[GR[int]("/a", ok("a")), r, DR("/c", ok("c")), DM("/m")])
    out += go(app, "/a", "/b", "/c", "/m/y", "/d")
    r.extra = 2
    r.name = "zz"
    out.append(attempt(app.url_path_for, "zz"))
    return out
