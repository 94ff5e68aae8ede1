from drive import *
import re, copy, functools, asyncio, pickle


def ok(name):
    async def ep(request):
        return S.PlainTextResponse(
            f"{name} {dict(request.path_params)} {request.scope.get('root_path')}"
        )

    ep.__name__ = name
    return ep


def case_route_subclass_no_super_init():
    class Custom(S.Route):
        def __init__(self, path):
            self.path = path

        def matches(self, scope):
            if scope["path"] == self.path:
                return S.Match.FULL, {"endpoint": self}
            return S.Match.NONE, {}

        async def handle(self, scope, receive, send):
            await S.PlainTextResponse("custom")(scope, receive, send)

        def url_path_for(self, name, /, **p):
            raise S.routing.NoMatchFound(name, p)

    app = S.Starlette(routes=[Custom("/c"), S.Route("/x", ok("x"))])
    return go(app, "/c", "/x", "/zzz") + [attempt(app.url_path_for, "x")]


def case_mount_subclass_no_super_init():
    class Custom(S.Mount):
        def __init__(self, path):
            self.path = path
            self.name = "m"

        def matches(self, scope):
            if scope["path"].startswith(self.path):
                return S.Match.FULL, {"endpoint": self}
            return S.Match.NONE, {}

        async def handle(self, scope, receive, send):
            await S.PlainTextResponse("custom")(scope, receive, send)

    app = S.Starlette(routes=[Custom("/c"), S.Route("/x", ok("x"))])
    return go(app, "/c/1", "/x", "/zzz")


def case_foreign_subclass_patched_matches():
    class Mine(S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x"))])
    out = go(app, "/x", "/x", "/x")
    Mine.matches = lambda self, scope: (S.Match.NONE, {})
    out += go(app, "/x", "/x", "/x")
    del Mine.matches
    return out + go(app, "/x", "/x")


def case_foreign_subclass_patched_handle():
    class Mine(S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x"))])
    out = go(app, "/x", "/x", "/x")

    async def handle(self, scope, receive, send):
        await S.PlainTextResponse("patched")(scope, receive, send)

    Mine.handle = handle
    out += go(app, "/x", "/x", "/x")
    return out


def case_foreign_router_patched_call():
    class Mine(S.Router):
        pass

    app = S.Starlette(routes=[S.Mount("/m", app=Mine([S.Route("/x", ok("x"))]))])
    out = go(app, "/m/x", "/m/x", "/m/x")

    async def call(self, scope, receive, send):
        await S.PlainTextResponse("patched")(scope, receive, send)

    Mine.__call__ = call
    out += go(app, "/m/x", "/m/x", "/m/x")
    return out


def case_foreign_router_nested_patched_call():
    class Mine(S.Router):
        pass

    app = S.Starlette(
        routes=[S.Mount("/a", routes=[S.Mount("/m", app=Mine([S.Route("/x", ok("x"))]))])]
    )
    out = go(app, "/a/m/x", "/a/m/x", "/a/m/x", "/a/m/x")

    async def call(self, scope, receive, send):
        await S.PlainTextResponse("patched")(scope, receive, send)

    Mine.__call__ = call
    out += go(app, "/a/m/x", "/a/m/x", "/a/m/x")
    return out


def case_foreign_mid_mount_patched_matches():
    class Mine(S.Mount):
        pass

    app = S.Starlette(routes=[S.Mount("/a", routes=[Mine("/m", routes=[S.Route("/x", ok("x"))])])])
    out = go(app, "/a/m/x", "/a/m/x", "/a/m/x", "/a/m/x")
    Mine.matches = lambda self, scope: (S.Match.NONE, {})
    out += go(app, "/a/m/x", "/a/m/x", "/a/m/x")
    return out


def case_router_routes_property_by_tenant():
    import contextvars

    cur = contextvars.ContextVar("cur", default="a")
    T = {}

    class Tenants(S.Router):
        @property
        def routes(self):
            return T[cur.get()].routes if T else []

        @routes.setter
        def routes(self, v):
            self.__dict__["own"] = v

    T["a"] = S.Router([S.Route("/x", ok("a"))])
    T["b"] = S.Router([S.Route("/x", ok("b")), S.Route("/y", ok("by"))])
    app = S.Starlette(routes=[S.Mount("/t", app=Tenants())])
    out = go(app, "/t/x", "/t/x")
    cur.set("b")
    out += go(app, "/t/x", "/t/y")
    return out


def case_mount_app_property():
    box = {}

    class Lazy(S.Mount):
        @property
        def app(self):
            return box["app"]

        @app.setter
        def app(self, v):
            pass

    box["app"] = S.PlainTextResponse("one")
    app = S.Starlette(routes=[Lazy("/x", routes=[])])
    out = go(app, "/x/1", "/x/1")
    box["app"] = S.Router([S.Route("/1", ok("two"))])
    return out + go(app, "/x/1", "/x/1")


def case_route_methods_property():
    box = {"m": {"GET"}}

    class Lazy(S.Route):
        @property
        def methods(self):
            return box["m"]

        @methods.setter
        def methods(self, v):
            pass

    app = S.Starlette(routes=[Lazy("/x", ok("x"))])
    out = go(app, "/x", "/x")
    box["m"] = {"POST"}
    return out + go(app, "/x")


def case_route_name_property():
    box = {"n": "one"}

    class Lazy(S.Route):
        @property
        def name(self):
            return box["n"]

        @name.setter
        def name(self, v):
            pass

    app = S.Starlette(routes=[Lazy("/x", ok("x"))])
    out = [attempt(app.url_path_for, "one"), attempt(app.url_path_for, "one")]
    box["n"] = "two"
    return out + [attempt(app.url_path_for, "one"), attempt(app.url_path_for, "two")]


def case_route_path_regex_property():
    box = {"r": re.compile("^/x$")}

    class Lazy(S.Route):
        @property
        def path_regex(self):
            return box["r"]

        @path_regex.setter
        def path_regex(self, v):
            pass

    app = S.Starlette(routes=[Lazy("/x", ok("x"))])
    out = go(app, "/x", "/x")
    box["r"] = re.compile("^/y$")
    return out + go(app, "/x", "/y")


def case_getattr_keyerror_app():
    class App(S.Starlette):
        def __getattr__(self, name):
            return self.__dict__["conf"][name]

    app = App(routes=[S.Route("/x", ok("x"))])
    app.conf = {}
    return go(app, "/x")


def case_getattr_any_app():
    class App(S.Starlette):
        def __getattr__(self, name):
            return lambda *a: name

    app = App(routes=[S.Route("/x", ok("x"))])
    return go(app, "/x", "/x")


def case_getattr_none_router():
    class R(S.Router):
        def __getattr__(self, name):
            return None

    app = S.Starlette(routes=[S.Mount("/m", app=R([S.Route("/x", ok("x"))]))])
    return go(app, "/m/x", "/m/x")


def case_mixin_setattr_after_route():
    log = []

    class Mixin:
        def __setattr__(self, n, v):
            log.append(n)
            object.__setattr__(self, n, v)

    class R(S.Route, Mixin):
        pass

    r = R("/x", ok("x"))
    app = S.Starlette(routes=[r])
    out = go(app, "/x")
    r.name = "zz"
    return [out, sorted(log)]


def case_deepcopy_app_then_setattr():
    app = S.Starlette(
        routes=[S.Route("/x", ok("x")), S.Mount("/m", routes=[S.Route("/y", ok("y"))])]
    )
    out = go(app, "/x", "/m/y", "/x", "/m/y")
    app2 = copy.deepcopy(app)
    out += go(app2, "/x", "/m/y")
    app2.router.routes[0].app = S.PlainTextResponse("changed")
    app2.router.routes[1].app.routes.insert(0, S.Route("/y", ok("first")))
    out += go(app2, "/x", "/m/y", "/x", "/m/y")
    out += go(app, "/x", "/m/y")
    return out


def case_copy_router_then_append():
    r = S.Router([S.Route("/x", ok("x"))])
    out = go(r, "/x", "/x")
    r2 = copy.copy(r)
    r2.routes = list(r.routes) + [S.Route("/new", ok("new"))]
    out += go(r2, "/x", "/new")
    r3 = copy.deepcopy(r)
    r3.routes.append(S.Route("/new", ok("new")))
    return out + go(r3, "/x", "/new") + go(r, "/x", "/new")


class PickledEndpoint:
    pass


def case_same_route_in_two_routers():
    r = S.Route("/x/{id:int}", ok("x"))
    app = S.Starlette(routes=[S.Mount("/a", routes=[r]), S.Mount("/b", routes=[r, r]), r])
    out = go(app, "/a/x/1", "/b/x/2", "/x/3", "/a/x/z")
    r.methods.add("POST")
    out += go(app, "/a/x/1", "/b/x/2", "/x/3", method="POST")
    r.methods.clear()
    out += go(app, "/a/x/1", "/b/x/2", "/x/3", method="BREW")
    r.param_convertors["id"] = S.convertors.CONVERTOR_TYPES["str"]
    return out + go(app, "/a/x/1", "/b/x/2", "/x/3")


def case_routes_changed_during_request():
    app = None

    async def ep(request):
        app.router.routes.insert(0, S.Route("/x", ok("replaced")))
        return S.PlainTextResponse("one")

    app = S.Starlette(routes=[S.Route("/x", ep)])
    return go(app, "/x", "/x", "/x")


def case_matches_mutates_scope():
    class Odd(S.Route):
        def matches(self, scope):
            scope["path"] = "/y"
            return S.Match.NONE, {}

    app = S.Starlette(
        routes=[Odd("/odd", ok("odd")), S.Route("/x", ok("x")), S.Route("/y", ok("y"))]
    )
    return go(app, "/x", "/y", "/z")


def case_matches_mutates_scope_before_mount():
    class Odd(S.Route):
        def matches(self, scope):
            scope["path"] = scope["path"].replace("/v1", "")
            return S.Match.NONE, {}

    app = S.Starlette(
        routes=[
            Odd("/odd", ok("odd")),
            S.Mount("/m", routes=[S.Route("/x", ok("x"))]),
            S.Route("/y/{z}", ok("y")),
        ]
    )
    return go(app, "/v1/m/x", "/v1/y/3", "/m/v1/x")
