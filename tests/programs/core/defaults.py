"""What Starlette answers by itself, where somebody has replaced what it is made of."""

from drive import *
import importlib


async def ok(request):
    return S.PlainTextResponse("ok")


def answers(app):
    return [go(app, "/a", "/none"), go(app, "/a/", method="PUT")]


def application():
    app = S.Starlette(routes=[S.Route("/a/", ok)])
    answers(app)
    return app


def case_redirects_called_otherwise():
    """Also where only the class for redirects has another way to answer."""
    app = application()
    redirect = importlib.import_module("starlette.responses").RedirectResponse

    async def traced(self, scope, receive, send):
        self.headers["x-traced"] = "1"
        await S.Response.__call__(self, scope, receive, send)

    redirect.__call__ = traced
    out = answers(app)
    del redirect.__call__
    return out + answers(app)


def case_redirects_made_otherwise():
    app = application()
    redirect = importlib.import_module("starlette.responses").RedirectResponse
    ran = []
    init = redirect.__init__

    def traced(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.background = S.BackgroundTask(ran.append, self.status_code)

    redirect.__init__ = traced
    out = answers(app)
    redirect.__init__ = init
    return [*out, ran, answers(app), ran]


def case_class_of_redirects_replaced():
    app, ran, out = application(), [], []
    routing = importlib.import_module("starlette.routing")

    class Permanent(S.RedirectResponse):
        def __init__(self, url):
            super().__init__(url, 308, {"x-a": "b"}, S.BackgroundTask(ran.append, str(url)))

    class Own(S.RedirectResponse):
        async def __call__(self, scope, receive, send):
            await S.PlainTextResponse("own")(scope, receive, send)

    async def pieces():
        yield b"piece"

    def stream(url):
        return S.StreamingResponse(pieces())

    for make in (Permanent, Own, stream):
        routing.RedirectResponse = make
        out.append([answers(app), list(ran)])
    return out


def case_exceptions_made_otherwise():
    app = application()
    init = S.HTTPException.__init__
    made = []

    def traced(self, status_code, detail=None, headers=None):
        made.append(status_code)
        init(self, status_code, "traced", {**(headers or {}), "x-a": "b"})

    S.HTTPException.__init__ = traced
    out = answers(app)
    S.HTTPException.__init__ = init
    return [*out, made, answers(app), made]
