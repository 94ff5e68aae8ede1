"""Attributes that a subclass computes: each is read as often as on Starlette, and no other is."""

from drive import *
import importlib
import itertools


def text(said):
    async def endpoint(request):
        return S.PlainTextResponse(said)

    return endpoint


def answers(app, *paths, **kw):
    return [[r["log"], r.get("exc")] for r in go(app, *paths, **kw)]


def turning(base, name, values):
    """A subclass with a property that is another of the values each time it is read."""
    turn = itertools.cycle(values)

    def skip(self, value):
        pass

    return type("Turning", (base,), {name: property(lambda self: next(turn), skip)})


def layer(module, name):
    package = "turbostar" if S.mode == "swapped" else "starlette"
    return getattr(importlib.import_module(f"{package}.middleware.{module}"), name)


def applications():
    return [S.Starlette(routes=[S.Route("/", text(said))]) for said in "abc"]


LAYERS = {
    "gzip": ("GZipMiddleware", {}),
    "cors": ("CORSMiddleware", {"allow_origins": ["*"]}),
    "sessions": ("SessionMiddleware", {"secret_key": "s"}),
    "trustedhost": ("TrustedHostMiddleware", {"allowed_hosts": ["h.io"]}),
    "body_limit": ("RequestBodyLimitMiddleware", {"max_body_size": 9}),
    "exceptions": ("ExceptionMiddleware", {}),
    "errors": ("ServerErrorMiddleware", {}),
    "httpsredirect": ("HTTPSRedirectMiddleware", {}),
}


def case_app_of_middleware():
    out = []
    for module, (name, given) in LAYERS.items():
        cls = turning(layer(module, name), "app", applications())
        headers = ((b"host", b"h.io"), (b"origin", b"http://o.io"))
        asked = answers(cls(None, **given), *"/////", headers=headers, scheme="https")
        out.append([module, asked])
    return out


def case_size_of_body_limit():
    cls = turning(layer("body_limit", "RequestBodyLimitMiddleware"), "max_body_size", [9, 1, 5])

    async def endpoint(request):
        return S.PlainTextResponse(await request.body())

    app = cls(S.Starlette(routes=[S.Route("/", endpoint, methods=["POST"])]), max_body_size=9)
    return answers(app, *"/////", method="POST", body=b"body")


class Registry:
    """A mixin that looks up what it does not have, and fails as a dictionary does."""

    asked = []

    def __getattr__(self, name):
        Registry.asked.append(norm(name))
        return {}[name]


def case_getattr_of_routers_and_routes():
    class Router(Registry, S.Router):
        pass

    class Route(Registry, S.Route):
        pass

    class Mount(Registry, S.Mount):
        pass

    class Application(Registry, S.Starlette):
        pass

    route = Route("/x", text("x"))
    below = S.Starlette(routes=[S.Mount("/m", Router([route])), Mount("/n", routes=[route])])
    apps = (Router([route]), below, Application(routes=[route]))
    out = [answers(app, "/x", "/m/x", "/n/x", "/none") for app in apps]
    return [out, Registry.asked]


def case_getattr_of_metaclasses():
    def named(cls, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return {}[name]

    out = []
    for base, given in (
        (S.Route, ("/", text("x"))),
        (S.WebSocketRoute, ("/", text("x"))),
        (S.Router, ()),
        (S.Mount, ("/m", text("x"))),
        (S.Host, ("h.io", text("x"))),
        (S.Starlette, ()),
    ):
        made = type("Meta", (type(base),), {"__getattr__": named})("Made", (base,), {})(*given)
        made.note = 1
        out.append([type(made).__name__, attempt(lambda made=made: made.note)])
    return out


def case_method_hidden_by_an_attribute():
    app = S.Starlette(routes=[S.Route("/x", text("x"))])
    out = answers(app, "/x")
    app.routes[0].matches = lambda scope: (S.Match.NONE, {})
    out += answers(app, "/x")
    del app.routes[0].matches
    return out + answers(app, "/x")


def lazy(base, name, make):
    """A subclass with a property that cannot be read before the constructor has returned."""

    def init(self, *args, **kwargs):
        base.__init__(self, *args, **kwargs)
        self.load = make

    def skip(self, value):
        pass

    return type("Lazy", (base,), {"__init__": init, name: property(lambda self: self.load(), skip)})


def case_app_of_a_route_not_ready():
    route = lazy(S.Route, "app", lambda: S.PlainTextResponse("loaded"))("/", text("x"))
    return answers(S.Starlette(routes=[route]), "/")


def case_endpoint_of_a_route_not_ready():
    route = lazy(S.Route, "endpoint", lambda: "loaded")("/", text("x"))
    return answers(S.Starlette(routes=[route]), "/")


def case_router_of_an_application_not_ready():
    cls = lazy(S.Starlette, "router", lambda: S.Router([S.Route("/", text("x"))]))
    return answers(cls(), "/")


def pages():
    return [S.PlainTextResponse(said) for said in "abc"]


def lists():
    return [[S.Route("/", text(said)), S.Route("/s/", text(said))] for said in "abc"]


def case_attributes_of_routers():
    made = (
        ("routes", lists()),
        ("middleware_stack", pages()),
        ("default", pages()),
        ("redirect_slashes", [True, False, False]),
    )
    out = []
    for name, values in made:
        # Each in an application, below a mount, below a host, and alone.
        for place in range(4):
            router = turning(S.Router, name, values)(lists()[0])
            app = S.Starlette(routes=[S.Mount("/m", router), S.Host("host.io", router)])
            if place == 0:
                app.router = router
            elif place == 3:
                app = router
            start = "/m" if place == 1 else ""
            paths = [start + path for path in ("/", "/s", "/none", "/", "/s", "/none", "/", "/s")]
            host = b"host.io" if place == 2 else b"h.io"
            out.append([name, place, answers(app, *paths, headers=((b"host", host),))])
        out.append(attempt(router.url_path_for, "endpoint"))
    return out


def case_middleware_stack_of_an_application():
    cls = turning(S.Starlette, "middleware_stack", [*applications(), None])
    return answers(cls(routes=lists()[0]), *"/////////")


def case_app_of_a_layer_in_a_stack():
    class Application(S.Starlette):
        def build_middleware_stack(self):
            made = turning(S.middleware_exceptions.ExceptionMiddleware, "app", applications())
            return S.middleware_errors.ServerErrorMiddleware(made(self.router))

    return answers(Application(), *"/////")


def case_routes_chosen_for_each_request():
    class Tenants(S.Router):
        tenant = "a"

        @property
        def routes(self):
            return dict(zip("abc", lists()))[self.tenant]

        @routes.setter
        def routes(self, value):
            pass

    out = []
    app = S.Starlette()
    app.router = Tenants()
    for tenant in "abcab":
        app.router.tenant = tenant
        out.append(answers(app, "/", "/s", "/none"))
    return out
