"""Classes that users derive or patch, and what is made of them from then on."""

from drive import *
import importlib
import types


def stock(module):
    return importlib.import_module("starlette." + module)


def ok(name):
    async def endpoint(request):
        return S.PlainTextResponse(name)

    return endpoint


def case_bodies_by_property():
    """The length of a body is that of what a class makes of it, of none where it has none."""
    out = []
    for base in (S.Response, S.PlainTextResponse, S.HTMLResponse, S.JSONResponse):

        class Enveloped(base):
            @property
            def body(self):
                return b"<" + self.inner + b">"

            @body.setter
            def body(self, body):
                self.inner = body

        class Empty(base):
            def render(self, content):
                return None

        class Upper(base):
            def __setattr__(self, name, value):
                super().__setattr__(name, value * 2 if name == "body" else value)

        for cls in (Enveloped, Empty, Upper):

            async def endpoint(request, cls=cls):
                return cls("text")

            out.append(go(S.Starlette(routes=[S.Route("/", endpoint)]), "/"))
    return out


def case_modules_of_classes_made_by_a_call():
    out = []
    for base in (
        S.Route,
        S.Mount,
        S.Router,
        S.Starlette,
        S.Request,
        S.JSONResponse,
        S.HTTPEndpoint,
    ):
        made = (type("Made", (base,), {}), types.new_class("Made", (base,)))
        told = type("Made", (base,), {"__module__": "told"})
        abstract = type("Made", (base, importlib.import_module("abc").ABC), {})
        out.append([cls.__module__ for cls in (*made, told, abstract)])
    return out


def case_modules_of_classes_with_a_metaclass():
    """As it has to be written where imports are swapped: derived from that of the base."""

    class Meta(type(S.Route)):
        def __new__(metacls, name, bases, names):
            made = super().__new__(metacls, name, bases, names)
            made.tag = name
            return made

    class First(S.Route, metaclass=Meta):
        pass

    made = (First, Meta("Second", (S.Route,), {}), type("Third", (First,), {}))
    app = S.Starlette(routes=[cls(f"/{cls.tag}", ok(cls.tag)) for cls in made])
    return [[cls.__module__ for cls in made], go(app, "/First", "/Second", "/Third")]


def case_not_found_replaced():
    """It is what a router does by default that is made afterwards."""

    async def replaced(self, scope, receive, send):
        await S.PlainTextResponse("replaced", 404)(scope, receive, send)

    before = S.Router.__dict__.get("not_found")
    S.Router.not_found = replaced
    app = S.Starlette(routes=[S.Mount("/m", routes=[S.Route("/x", ok("x"))])])
    if before is None:
        del S.Router.not_found
    else:
        S.Router.not_found = before
    other = S.Starlette(routes=app.routes[:])
    return [go(app, "/q", "/m/q"), go(other, "/q", "/m/q")]


def case_init_of_router_wrapped():
    """Also for the first router that is made since."""
    router = stock("routing").Router
    init, made = router.__init__, []

    def wrapped(self, *args, **kwargs):
        made.append([len(args), sorted(kwargs)])
        init(self, *args, **kwargs)

    router.__init__ = wrapped
    app = S.Mount("/m", routes=[S.Route("/a", ok("a"))]).app
    app.routes.append(S.Route("/b", ok("b")))
    S.Mount("/m", routes=[])
    out = [go(app, "/a", "/b"), list(made)]
    router.__init__ = init
    S.Router([])
    return [*out, len(made)]


def case_init_of_headers_wrapped():
    init, made = S.datastructures.Headers.__init__, []

    def wrapped(self, *args, **kwargs):
        made.append(type(self).__name__)
        init(self, *args, **kwargs)

    S.datastructures.Headers.__init__ = wrapped
    for response in (S.RedirectResponse("/x"), S.PlainTextResponse("x")):
        response.headers["a"] = "b"
    S.datastructures.Headers.__init__ = init
    return made


def case_methods_wrapped_while_serving():
    """Of Starlette's classes, between two requests, and put back."""

    class Endpoint(S.HTTPEndpoint):
        async def get(self, request):
            return S.PlainTextResponse("class")

    async def stream(request):
        async def pieces():
            yield b"piece"

        return S.StreamingResponse(pieces())

    app = S.Starlette(routes=[S.Route("/c", Endpoint), S.Route("/s", stream)])
    out, called = [go(app, "/c", "/s")], []
    streaming = stock("responses").StreamingResponse
    for cls, name in (
        (stock("endpoints").HTTPEndpoint, "__init__"),
        (streaming, "__call__"),
        (streaming, "stream_response"),
        (streaming, "listen_for_disconnect"),
    ):
        method = vars(cls)[name]

        def wrapped(self, *args, method=method, name=name):
            called.append(name)
            return method(self, *args)

        setattr(cls, name, wrapped)
        out.append(go(app, "/c", "/s"))
        setattr(cls, name, method)
        out.append([go(app, "/c", "/s"), list(called)])
    return out
