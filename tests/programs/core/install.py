from drive import *
import asyncio, copy, pickle, threading, sys, importlib
from unittest import mock


def ok(name):
    async def ep(request):
        return S.PlainTextResponse(f"{name}")

    return ep


def tog():
    if S.mode == "installed":
        import turbostar

        return turbostar.install, turbostar.uninstall
    return (lambda: None), (lambda: None)


def case_uninstall_mutate_install():
    inst, un = tog()
    r = S.Route("/x", ok("x"))
    m = S.Mount("/m", routes=[S.Route("/y", ok("y"))])
    app = S.Starlette(routes=[r, m])
    out = go(app, "/x", "/m/y", "/x", "/m/y") + [attempt(app.url_path_for, "ep")]
    un()
    r.app = S.PlainTextResponse("changed")
    r.name = "new"
    m.app = S.PlainTextResponse("mchanged")
    inst()
    return out + go(app, "/x", "/m/y") + [attempt(app.url_path_for, "new")]


def case_uninstall_mutate_serve_install():
    inst, un = tog()
    r = S.Route("/x", ok("x"))
    app = S.Starlette(routes=[r])
    out = go(app, "/x", "/x")
    un()
    out += go(app, "/x")
    r.app = S.PlainTextResponse("changed")
    out += go(app, "/x")
    r.app = S.PlainTextResponse("changed2")
    inst()
    return out + go(app, "/x", "/x")


def case_uninstall_exc_handlers():
    inst, un = tog()

    async def h(r, e):
        return S.PlainTextResponse("h")

    async def ep(r):
        raise ValueError

    app = S.Starlette(routes=[S.Route("/x", ep)])
    out = go(app, "/x")
    un()
    app.add_exception_handler(ValueError, h)
    app.middleware_stack = None
    inst()
    return out + go(app, "/x")


def case_patch_across_uninstall():
    inst, un = tog()
    out = []
    for owner, n in (
        (S.JSONResponse, "render"),
        (S.Router, "url_path_for"),
        (S.Request, "headers"),
        (S.Starlette, "__call__"),
        (S.Route, "__setattr__"),
    ):
        before = vars(owner).get(n)
        p = mock.patch.object(owner, n, create=True)
        p.start()
        un()
        p.stop()
        after = vars(owner).get(n)
        out.append(
            [
                n,
                S.mode != "installed"
                or getattr(after, "__module__", None) is None
                or not str(getattr(after, "__module__", "")).startswith("turbostar"),
            ]
        )
        inst()
    app = S.Starlette(routes=[S.Route("/x", ok("x"))])
    return out + go(app, "/x")


def case_pickle_router():
    import types

    mod = types.ModuleType("pk")
    sys.modules["pk"] = mod

    class PE(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse("pe")

    PE.__module__ = "pk"
    PE.__qualname__ = "PE"
    mod.PE = PE
    r = S.Router(
        [S.Route("/x", PE), S.Mount("/m", routes=[S.Route("/y", PE)]), S.Route("/z/{a:int}", PE)]
    )
    out = go(r, "/x", "/m/y", "/z/1", "/x", "/m/y", "/z/1", with_scope=False)
    for proto in (2, 5):

        def f():
            r2 = pickle.loads(pickle.dumps(r, proto))
            res = go(r2, "/x", "/m/y", "/z/1", "/m/n", with_scope=False)
            r2.routes.append(S.Route("/new", PE))
            r2.routes[1].app.routes.append(S.Route("/n", PE))
            r2.routes[0].app = S.PlainTextResponse("chg")
            return [res, go(r2, "/x", "/m/y", "/z/1", "/m/n", "/new", with_scope=False)]

        out.append(attempt(f))
    return out


def case_pickle_responses():
    out = []
    for mk in (
        lambda: S.JSONResponse({"a": 1}),
        lambda: S.PlainTextResponse("x"),
        lambda: S.RedirectResponse("/y"),
        lambda: S.Response(b"q"),
    ):

        def f():
            r = mk()
            r.headers["z"] = "1"
            r2 = pickle.loads(pickle.dumps(r))
            r3 = copy.deepcopy(r)
            r4 = copy.copy(r)
            r2.headers["k"] = "v"
            r3.set_cookie("a", "b")
            return [x.raw_headers for x in (r, r2, r3, r4)] + [sorted(vars(x)) for x in (r, r2, r3)]

        out.append(attempt(f))
    return out


def case_direct_proxy_router():
    inner = S.Router([S.Route("/x", ok("inner")), S.Route("/y", ok("innery"))])

    class Proxy(S.Router):
        def __getattr__(self, name):
            if name.startswith("__") or name in ("middleware_stack", "routes"):
                raise AttributeError(name)
            return getattr(inner, name)

    outer = Proxy([S.Route("/x", ok("outer"))])
    return go(inner, "/x", "/x") + go(outer, "/x", "/y", "/x")


def case_reload_responses():
    out = []
    for m in ("responses", "requests", "routing", "endpoints", "applications"):
        mod = sys.modules[("turbostar." if S.mode == "swapped" else "starlette.") + m]

        def f():
            importlib.reload(mod)
            return "ok"

        out.append([m, attempt(f)])
        pre = "turbostar" if S.mode == "swapped" else "starlette"
        ap = importlib.import_module(pre + ".applications")
        ro = importlib.import_module(pre + ".routing")
        re_ = importlib.import_module(pre + ".responses")

        async def ep(request):
            return re_.JSONResponse(
                {"a": [1, str(request.url), request.headers.get("host"), await request.json()]}
            )

        app = ap.Starlette(
            routes=[
                ro.Route("/x", ep, methods=["POST"]),
                ro.Mount("/m", routes=[ro.Route("/x", ep, methods=["POST"])]),
            ]
        )
        out.append(go(app, "/x", "/m/x", "/q", "/x", "/m/x", method="POST", body=b"[1]"))
        out.append(
            go(
                S.Starlette(
                    routes=[S.Route("/x", ok("x")), S.Mount("/m", routes=[S.Route("/x", ok("mx"))])]
                ),
                "/x",
                "/m/x",
                "/m/x",
                "/q",
            )
        )
    return out


def case_middleware_stack_swaps():
    app = S.Starlette(routes=[S.Route("/x", ok("x"))])
    out = go(app, "/x", "/x")
    st = app.middleware_stack
    st.app.app = S.PlainTextResponse("inner replaced")
    out += go(app, "/x")
    st.app = S.PlainTextResponse("exc replaced")
    out += go(app, "/x")
    app.middleware_stack = S.PlainTextResponse("all replaced")
    out += go(app, "/x")
    app.middleware_stack = None
    out += go(app, "/x")
    app.router.middleware_stack = S.PlainTextResponse("router stack")
    out += go(app, "/x")
    app.router = S.Router([S.Route("/x", ok("newrouter"))])
    out += go(app, "/x")
    app.middleware_stack = None
    out += go(app, "/x")
    app.middleware_stack.handler = None
    app.middleware_stack.debug = True
    app.middleware_stack.app.http_exception = None
    out += go(app, "/q")
    app.middleware_stack.app._exception_handlers = {}
    out += go(app, "/q")
    app.middleware_stack.app._status_handlers = {404: lambda r, e: S.PlainTextResponse("h404")}
    out += go(app, "/q")
    app.router.default = S.PlainTextResponse("def")
    out += go(app, "/q")
    del app.router.default
    out += go(app, "/q")
    return out


def case_instance_setattr_methods():
    r = S.Route("/x", ok("x"))
    m = S.Mount("/m", routes=[S.Route("/y", ok("y"))])
    app = S.Starlette(routes=[r, m])
    out = go(app, "/x", "/m/y", "/x")

    async def hd(s, rr, se):
        await S.PlainTextResponse("inst handle")(s, rr, se)

    r.handle = hd
    out += go(app, "/x")
    del r.handle
    out += go(app, "/x")
    m.matches = lambda s: (S.Match.NONE, {})
    out += go(app, "/m/y")
    del m.matches
    out += go(app, "/m/y")
    m.app.app = hd
    out += go(app, "/m/y")
    m.app.middleware_stack = hd
    out += go(app, "/m/y")
    app.router.not_found = hd
    out += go(app, "/q")
    app.router.redirect_slashes = False
    out += go(app, "/x/")
    r.url_path_for = lambda *a, **k: "own"
    out.append(attempt(app.url_path_for, "zzz"))
    return out
