"""What an application may change after its first request, and must see in the next one."""

from drive import *
import asyncio
import copy
import importlib
import pickle
import re

import starlette.convertors


class Answers:
    """An application as an endpoint: what a function of `request_response` is not, it can be pickled."""

    def __init__(self, text):
        self.text = text

    async def __call__(self, scope, receive, send):
        await S.PlainTextResponse(f"{self.text} {scope['path_params']}")(scope, receive, send)


def ok(name):
    async def endpoint(request):
        return S.PlainTextResponse(f"{name} {dict(request.path_params)}")

    endpoint.__name__ = name
    return endpoint


def often(app, *paths, **kw):
    """What is answered once all is compiled that will be."""
    go(app, *paths, **kw)
    go(app, *paths, **kw)
    return go(app, *paths, **kw)


def case_class_gets_property_endpoint():
    """A property is put into a user's class of routes after the first request."""

    class Mine(S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x")), S.Route("/y", ok("y"))])
    out = often(app, "/x", "/y")
    Mine.endpoint = property(lambda self: "computed")
    return out + often(app, "/x", "/y")


def case_class_gets_property_app():
    class Mine(S.Mount):
        pass

    inner, other = S.Router([S.Route("/x", ok("x"))]), S.Router([S.Route("/x", ok("other"))])
    app = S.Starlette(routes=[Mine("/m", app=inner)])
    out = often(app, "/m/x")
    Mine.app = property(lambda self: other)
    return out + often(app, "/m/x")


def case_class_gets_property_methods():
    class Mine(S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x"))])
    out = often(app, "/x", method="POST")
    Mine.methods = property(lambda self: {"POST"})
    out += often(app, "/x", method="POST")
    del Mine.methods
    return out + often(app, "/x", method="POST")


def case_class_gets_getattribute():
    class Mine(S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x"))])
    out = often(app, "/x", method="POST")

    def look(self, name):
        return {"POST"} if name == "methods" else object.__getattribute__(self, name)

    Mine.__getattribute__ = look
    return out + often(app, "/x", method="POST")


def case_mixin_patched():
    """The method is in a mixin that is no route at all."""

    class Mixin:
        pass

    class Mine(Mixin, S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x"))])
    out = often(app, "/x")
    Mixin.matches = lambda self, scope: (S.Match.NONE, {})
    out += often(app, "/x")
    del Mixin.matches
    return out + often(app, "/x")


def case_bases_replaced():
    class First:
        pass

    class Second:
        def matches(self, scope):
            return S.Match.NONE, {}

    class Mine(First, S.Route):
        pass

    app = S.Starlette(routes=[Mine("/x", ok("x"))])
    out = often(app, "/x")
    Mine.__bases__ = (Second, S.Route)
    return out + often(app, "/x")


def case_class_of_route_replaced():
    class Mine(S.Route):
        def matches(self, scope):
            return S.Match.NONE, {}

    route = S.Route("/x", ok("x"))
    app = S.Starlette(routes=[route])
    out = often(app, "/x")
    route.__class__ = Mine
    out += often(app, "/x")
    route.__class__ = S.Route
    return out + often(app, "/x")


def case_path_convertor_of_one_mount():
    """The convertor of every mount is one object, and may be given another method."""
    app = S.Starlette(
        routes=[S.Mount("/m", routes=[S.Mount("/n", routes=[S.Route("/x", ok("x"))])])]
    )
    out = often(app, "/m/n/x")
    convertor = starlette.convertors.CONVERTOR_TYPES["path"]
    convertor.convert = lambda value: value.upper()
    try:
        out += often(app, "/m/n/x")
    finally:
        del convertor.convert
    return out + often(app, "/m/n/x")


def case_class_of_path_convertor():
    class Upper(starlette.convertors.PathConvertor):
        def convert(self, value):
            return value.upper()

    mount = S.Mount("/m", routes=[S.Route("/x", ok("x"))])
    app = S.Starlette(routes=[mount])
    out = often(app, "/m/x")
    mount.param_convertors = {"path": Upper()}
    out += often(app, "/m/x")
    mount.param_convertors["path"] = starlette.convertors.PathConvertor()
    return out + often(app, "/m/x")


def case_convertor_class_patched():
    app = S.Starlette(routes=[S.Route("/n/{n:int}", ok("n")), S.Route("/s/{a}/{b:int}", ok("s"))])
    out = often(app, "/n/3", "/s/a/4")
    stock = starlette.convertors.IntegerConvertor.convert
    starlette.convertors.IntegerConvertor.convert = lambda self, value: -int(value)
    try:
        out += often(app, "/n/3", "/s/a/4")
    finally:
        starlette.convertors.IntegerConvertor.convert = stock
    return out


def case_chain_changes():
    """Each part of mounts within mounts is replaced in its turn."""
    inner = S.Router([S.Route("/x", ok("x"))])
    second = S.Mount("/b", app=inner)
    middle = S.Router([second])
    first = S.Mount("/a", app=middle)
    app = S.Starlette(routes=[first])
    out = often(app, "/a/b/x")
    inner.routes.append(S.Route("/y", ok("y")))
    out += often(app, "/a/b/y")
    second.app = S.Router([S.Route("/x", ok("other"))])
    out += often(app, "/a/b/x", "/a/b/y")
    second.path_regex = re.compile("^/c/(?P<path>.*)$")
    out += often(app, "/a/b/x", "/a/c/x")

    async def wrapper(scope, receive, send):
        await S.PlainTextResponse("wrapped")(scope, receive, send)

    middle.middleware_stack = wrapper
    out += often(app, "/a/c/x")
    middle.middleware_stack = middle.app
    out += often(app, "/a/c/x")
    middle.routes = [S.Route("/c/x", ok("direct")), *middle.routes]
    out += often(app, "/a/c/x")
    first.app = wrapper
    return out + often(app, "/a/c/x")


def case_copies_of_all():
    """A copy goes its own way, whether it was made before or after the first request."""
    out = []
    for make in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        for warm in (False, True):
            router = S.Router(
                [S.Mount("/m", routes=[S.Route("/{n:int}", Answers("n"))])], redirect_slashes=False
            )
            app = S.Starlette(routes=[S.Mount("/r", app=router)])
            if warm:
                often(app, "/r/m/1")
            other = make(router)
            app_of_other = S.Starlette(routes=[S.Mount("/r", app=other)])
            out += often(app_of_other, "/r/m/1")
            other.routes.append(S.Route("/new", Answers("new")))
            out += often(app_of_other, "/r/new") + often(app, "/r/new")
            router.routes[0].app.routes.insert(0, S.Route("/1", Answers("one")))
            out += often(app_of_other, "/r/m/1") + often(app, "/r/m/1")
            other.routes[0].app = S.PlainTextResponse("replaced")
            out += often(app_of_other, "/r/m/1") + often(app, "/r/m/1")
    return out


def case_copies_of_route():
    out = []
    for make in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        route = S.Route("/{n:int}", Answers("n"))
        app = S.Starlette(routes=[route])
        often(app, "/1")
        other = make(route)
        app.router.routes.append(other)
        other.path_regex = re.compile("^/other/(?P<n>[0-9]+)$")
        out += often(app, "/1", "/other/2")
        route.app = S.PlainTextResponse("replaced")
        out += often(app, "/1", "/other/2")
    return out


def case_copies_of_middleware():
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    out = []
    headers = ((b"host", b"h.io"), (b"origin", b"http://o.io"), (b"accept-encoding", b"gzip"))
    for make in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        for warm in (False, True):
            router = S.Router([S.Route("/x", Answers("x" * 600))])
            stack = GZipMiddleware(CORSMiddleware(router, allow_origins=["http://o.io"]))
            if warm:
                often(stack, "/x", headers=headers)
            other = make(stack)
            other.app.app.routes.append(S.Route("/new", Answers("new" * 300)))
            out += often(other, "/x", "/new", headers=headers)
            out += often(stack, "/x", "/new", headers=headers)
            other.app.allow_origins = ()
            other.minimum_size = 10_000
            out += often(other, "/x", headers=headers) + often(stack, "/x", headers=headers)
            other.app = S.PlainTextResponse("replaced")
            out += often(other, "/x", headers=headers) + often(stack, "/x", headers=headers)
    return out


def case_copies_of_an_application():
    out = []
    for warm in (False, True):
        app = S.Starlette(routes=[S.Route("/x", ok("x"))])
        if warm:
            often(app, "/x")
        other = copy.copy(app)
        out += often(other, "/x")
        other.router = S.Router([S.Route("/other", ok("other"))])
        other.middleware_stack = None
        out += often(other, "/x", "/other") + often(app, "/x", "/other")
        app.router.routes.append(S.Route("/new", ok("new")))
        out += often(other, "/new") + often(app, "/new")
    return out


def case_route_proxy():
    """A proxy that hands every attribute on, as those of wrapt and of dependency containers."""

    class Proxy:
        def __init__(self, one):
            self.__dict__["one"] = one

        def __getattr__(self, name):
            return getattr(self.__dict__["one"], name)

        def __setattr__(self, name, value):
            setattr(self.__dict__["one"], name, value)

    route, mount = S.Route("/x", ok("x")), S.Mount("/m", routes=[S.Route("/y", ok("y"))])
    app = S.Starlette(routes=[Proxy(route), Proxy(mount), S.Mount("/p", app=Proxy(mount.app))])
    app.router.routes[2].app.__class__.__call__ = lambda self, *args: self.one(*args)
    out = often(app, "/x", "/m/y", "/p/y")
    app.router.routes[0].endpoint = "other"
    mount.app.routes.append(S.Route("/z", ok("z")))
    return out + often(app, "/x", "/m/z", "/p/z")


def case_routes_without_length():
    """Something other than a list in the place of a router's routes."""

    class Rotating:
        def __init__(self, *routes):
            self.rows = list(routes)

        def __iter__(self):
            self.rows.append(self.rows.pop(0))
            return iter([*self.rows])

    app = S.Starlette()
    app.router.routes = Rotating(S.Route("/x", ok("one")), S.Route("/x", ok("two")))
    out = go(app, *["/x"] * 6)
    app.router.routes = (S.Route("/x", ok("in a tuple")),)
    return out + often(app, "/x")


def case_list_with_its_own_iteration():
    class Enabled(list):
        off = frozenset()

        def __iter__(self):
            return (route for route in list.__iter__(self) if route.name not in self.off)

    routes = Enabled([S.Route("/x", ok("a"), name="a"), S.Route("/x", ok("b"), name="b")])
    app = S.Starlette()
    app.router.routes = routes
    out = often(app, "/x")
    routes.off = {"a"}
    out += often(app, "/x")
    routes.off = {"a", "b"}
    return out + often(app, "/x") + [attempt(app.url_path_for, "a")]


def case_odd_answers_of_matches():
    out = []
    answers = [
        lambda scope: (S.Match.FULL, {"path_params": {"a": 1}, "endpoint": None}),
        lambda scope: [S.Match.FULL, {}],
        lambda scope: (S.Match.PARTIAL, {"mark": 1}),
        lambda scope: (2, {}),
        lambda scope: (None, None),
        lambda scope: (S.Match.FULL, [("mark", 1)]),
        lambda scope: (S.Match.NONE, {}, "more"),
        lambda scope: S.Match.NONE,
        lambda scope: (S.Match.FULL, {"type": "http", "path": "/elsewhere", "router": "mine"}),
        lambda scope: 1 / 0,
    ]
    for answer in answers:

        class Odd(S.Route):
            def matches(self, scope, answer=answer):
                return answer(scope)

            async def handle(self, scope, receive, send):
                await S.PlainTextResponse("odd")(scope, receive, send)

        app = S.Starlette(
            routes=[Odd("/x", ok("odd")), S.Route("/x", ok("x")), S.Route("/y", ok("y"))]
        )
        out += often(app, "/x", "/y", "/nope")
    return out


def case_methods_in_many_forms():
    route = S.Route("/x", ok("x"))
    app = S.Starlette(routes=[route])
    out = []
    for methods in (["POST"], ("GET",), None, set(), "GETTER", {"GET": 1}, ["POST", "GET"]):
        route.methods = methods
        out += often(app, "/x", with_scope=False)
    route.methods = {"POST"}
    out += often(app, "/x")
    route.methods.add("GET")
    return out + often(app, "/x")


def case_regex_of_another_make():
    """What stands for a pattern need only have match()."""

    class Found:
        def __init__(self, groups):
            self.groups = groups

        def groupdict(self):
            return dict(self.groups)

    class Regex:
        def __init__(self, only, **groups):
            self.only, self.found = only, Found(groups)

        def match(self, path):
            return self.found if path == self.only else None

    route = S.Route("/x/{n:int}", ok("x"))
    mount = S.Mount("/m", routes=[S.Route("/y", ok("y"))])
    app = S.Starlette(routes=[route, mount, S.Route("/z", ok("z"))])
    out = often(app, "/x/1", "/m/y", "/z")
    route.path_regex = Regex("/other", n="7")
    out += often(app, "/x/1", "/other", "/m/y", "/z")
    mount.path_regex = Regex("/mm/y", path="y")
    return out + often(app, "/mm/y", "/m/y", "/z")


def case_strange_paths():
    route, mount = S.Route("/x", ok("x")), S.Mount("/m", routes=[S.Route("/y", ok("y"))])
    app = S.Starlette(routes=[route, mount, S.Route("/z", ok("z"))])
    often(app, "/x", "/m/y", "/z")
    out = []
    for path in (None, 7, b"/x", "", "no slash", "/{", "/{n:int}", "/{path:path}"):
        route.path = path
        mount.path = path
        out += often(app, "/x", "/m/y", "/z", "/nope")
    return out


def case_state_of_starlette_as_properties():
    """A subclass of the application keeps its router or its stack elsewhere."""
    box = {}

    class Mine(S.Starlette):
        @property
        def middleware_stack(self):
            return box.get("stack")

        @middleware_stack.setter
        def middleware_stack(self, value):
            box["stack"] = value

    app = Mine(routes=[S.Route("/x", ok("x"))])
    out = often(app, "/x")

    async def other(scope, receive, send):
        await S.PlainTextResponse("other")(scope, receive, send)

    box["stack"] = other
    out += often(app, "/x")
    box["stack"] = None
    app.router.routes.append(S.Route("/y", ok("y")))
    return out + often(app, "/y")


def case_router_settings_as_properties():
    settings = {"redirect": True}

    async def default(scope, receive, send):
        await S.PlainTextResponse("default")(scope, receive, send)

    class Mine(S.Router):
        redirect_slashes = property(lambda self: settings["redirect"], lambda self, value: None)
        default = property(lambda self: settings.get("default", self.not_found), lambda *_: None)

    app = S.Starlette(routes=[S.Mount("/m", app=Mine([S.Route("/x/", ok("x"))]))])
    out = often(app, "/m/x", "/m/nope")
    settings["redirect"] = False
    out += often(app, "/m/x", "/m/nope")
    settings["default"] = default
    return out + often(app, "/m/x", "/m/nope")


def case_router_settings_replaced():
    app = S.Starlette(routes=[S.Route("/x/", ok("x"))])
    out = often(app, "/x", "/nope")
    app.router.redirect_slashes = False
    out += often(app, "/x", "/nope")

    async def default(scope, receive, send):
        await S.PlainTextResponse("default")(scope, receive, send)

    app.router.default = default
    out += often(app, "/x", "/nope")
    app.router.not_found = default
    del app.router.default
    return out + often(app, "/x", "/nope")


def case_methods_of_one_route():
    route = S.Route("/x", ok("x"))
    app = S.Starlette(routes=[route])
    out = often(app, "/x")

    async def handle(scope, receive, send):
        await S.PlainTextResponse("handled")(scope, receive, send)

    route.handle = handle
    out += often(app, "/x")
    route.matches = lambda scope: (S.Match.NONE, {})
    out += often(app, "/x")
    del route.matches
    out += often(app, "/x")
    del route.handle
    return out + often(app, "/x")


def case_written_in_each_request():
    """Attributes that routing reads are written by each request, for itself or for the next."""
    seen = []

    async def endpoint(request):
        route = request.scope["route"]
        seen.append(sorted(route.methods))
        route.methods = {"GET", f"M{len(seen)}"}
        route.name = f"n{len(seen)}"
        route.calls = getattr(route, "calls", 0) + 1
        return S.PlainTextResponse(str(route.calls))

    app = S.Starlette(routes=[S.Route("/x", endpoint)])
    out = go(app, *["/x"] * 5, with_scope=False)
    out += go(app, "/x", method="M5", with_scope=False)
    out += [attempt(app.url_path_for, "n6"), attempt(app.url_path_for, "n5")]
    return out + [seen]


def case_handlers_change():
    async def handler(request, exc):
        return S.PlainTextResponse(f"handled {type(exc).__name__}")

    async def raises(request):
        raise KeyError("k")

    app = S.Starlette(routes=[S.Route("/x", raises)])
    out = often(app, "/x", "/nope")
    layer = app.middleware_stack.app
    layer.add_exception_handler(KeyError, handler)
    out += often(app, "/x", "/nope")
    layer.add_exception_handler(404, handler)
    out += often(app, "/x", "/nope")
    layer._exception_handlers = {}
    return out + often(app, "/x", "/nope")


def case_class_endpoint_changes():
    class Items(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse("get")

    app = S.Starlette(routes=[S.Route("/x", Items)])
    out = often(app, "/x") + often(app, "/x", method="POST")

    async def post(self, request):
        return S.PlainTextResponse("post")

    Items.post = post
    out += often(app, "/x", method="POST")
    Items.get = lambda self, request: S.PlainTextResponse("sync")
    out += often(app, "/x")

    async def dispatch(self):
        await S.PlainTextResponse("dispatched")(self.scope, self.receive, self.send)

    Items.dispatch = dispatch
    out += often(app, "/x")
    del Items.dispatch
    return out + often(app, "/x")


def case_websocket_route_changes():
    def socket(name):
        async def endpoint(websocket):
            await websocket.accept()
            await websocket.send_text(f"{name} {websocket.path_params}")
            await websocket.close()

        return endpoint

    route = S.WebSocketRoute("/w/{n:int}", socket("one"))
    app = S.Starlette(routes=[S.Mount("/m", routes=[route])])
    out = often(app, "/m/w/1", type="websocket")
    route.app = S.routing.websocket_session(socket("two"))
    out += often(app, "/m/w/1", type="websocket")
    route.path_regex = re.compile("^/v/(?P<n>[0-9]+)$")
    return out + often(app, "/m/w/1", "/m/v/2", type="websocket")


def case_host_changes():
    host = S.Host("a.io", app=S.Router([S.Route("/x", ok("a"))]))
    app = S.Starlette(routes=[host, S.Route("/x", ok("x"))])
    headers = ((b"host", b"a.io"),)
    out = often(app, "/x", headers=headers)
    host.host_regex = re.compile("^b.io$")
    out += often(app, "/x", headers=headers)
    host.host_regex = re.compile("^(?P<sub>a).io$")
    host.param_convertors = {"sub": starlette.convertors.CONVERTOR_TYPES["str"]}
    out += often(app, "/x", headers=headers)
    host.app = S.PlainTextResponse("replaced")
    return out + often(app, "/x", headers=headers)


def case_mounted_in_itself():
    router = S.Router([S.Route("/x", ok("x"))])
    router.routes.append(S.Mount("/r", app=router))
    app = S.Starlette(routes=[S.Mount("/top", app=router)])
    return often(app, "/top/x", "/top/r/x", "/top" + "/r" * 60 + "/x", "/top/r/nope")


def reloaded(*names):
    """What an application answers that was built before modules are read anew, and one after."""
    before = S.Starlette(
        routes=[
            S.Route("/x/{n:int}", ok("x")),
            S.Mount("/m", routes=[S.Route("/y", ok("y"))]),
        ]
    )
    out = often(before, "/x/1", "/m/y", "/nope", with_scope=False)
    for name in names:
        importlib.reload(importlib.import_module(f"starlette.{name}"))
    out += often(before, "/x/1", "/m/y", "/nope", with_scope=False)
    out += often(before, "/x/1", method="POST", with_scope=False)
    after = attempt(S.Starlette, routes=[S.Route("/x/{n:int}", ok("x"))])
    out.append(after if isinstance(after, list) else "built")
    return out


def case_reload_routing():
    return reloaded("routing")


def case_reload_requests():
    return reloaded("requests")


def case_reload_applications():
    return reloaded("applications")


def case_reload_endpoints():
    return reloaded("endpoints")


def case_reload_convertors():
    return reloaded("convertors")


def case_reload_exceptions():
    return reloaded("exceptions")


def case_reload_exception_middleware():
    return reloaded("middleware.exceptions", "middleware.errors")


def case_reload_exception_handler():
    return reloaded("_exception_handler")


def case_threads_change_and_serve():
    """Whoever has made a change sees it in the request that follows, whatever others do."""
    import threading

    route = [S.Route(f"/{n}", ok(str(n))) for n in range(3)]
    app = S.Starlette(routes=route)
    missed = []

    def work(n):
        async def main():
            for turn in range(150):
                path = f"/{n}/{turn}"
                route[n].path_regex = re.compile(f"^{path}$")
                found = await drive(app, path, with_scope=False)
                if "'status': 200" not in str(found):
                    missed.append(path)
                added = S.Route(f"/added{path}", ok("added"))
                app.router.routes.append(added)
                found = await drive(app, f"/added{path}", with_scope=False)
                if "'status': 200" not in str(found):
                    missed.append(added.path)
                app.router.routes.remove(added)
                found = await drive(app, f"/added{path}", with_scope=False)
                if "'status': 404" not in str(found):
                    missed.append("still " + added.path)

        asyncio.run(main())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return missed


class Kept(S.Route):
    """A user's class of routes that can be pickled."""


def case_pickles_of_what_was_patched():
    route = Kept("/x", Answers("x"))
    app = S.Router([route])
    often(app, "/x")
    route.counter = 7
    other = pickle.loads(pickle.dumps(app))
    Kept.matches = lambda self, scope: (S.Match.NONE, {})
    try:
        out = often(app, "/x") + often(other, "/x")
    finally:
        del Kept.matches
    return out + often(other, "/x") + [other.routes[0].counter, sorted(vars(other.routes[0]))]


def case_states_of_objects():
    """What a request leaves among the attributes of routes."""
    route, mount = S.Route("/x", Answers("x")), S.Mount("/m", routes=[S.Route("/y", Answers("y"))])
    app = S.Starlette(routes=[route, mount])
    often(app, "/x", "/m/y")
    return [sorted(vars(route)), sorted(vars(mount)), route == copy.copy(route), mount == mount]
