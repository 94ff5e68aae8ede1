"""Layers of an application of classes that users have made, and patch or exchange while serving."""

from drive import *
import importlib


def ok(name):
    async def endpoint(request):
        return S.PlainTextResponse(name)

    return endpoint


async def other_call(self, scope, receive, send):
    scope["other"] = True
    await S.PlainTextResponse("other")(scope, receive, send)


def often(app, *paths):
    go(app, *paths)
    go(app, *paths)
    return go(app, *paths)


def patched_and_back(app, cls, path="/a"):
    out = [often(app, path)]
    cls.__call__ = other_call
    out.append(often(app, path))
    del cls.__call__
    return [*out, often(app, path)]


def case_router_class_patched():
    class Mine(S.Router):
        pass

    app = S.Starlette()
    app.router = Mine([S.Route("/a", ok("a"))])
    return patched_and_back(app, Mine)


def case_router_class_patched_below_middleware():
    class Mine(S.Router):
        pass

    class Above:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app(scope, receive, send)

    app = S.Starlette(middleware=[S.Middleware(Above)])
    app.router = Mine([S.Route("/a", ok("a"))])
    return patched_and_back(app, Mine)


def case_base_of_router_class_patched():
    class Mixin:
        pass

    class Mine(Mixin, S.Router):
        pass

    app = S.Starlette()
    app.router = Mine([S.Route("/a", ok("a"))])
    return patched_and_back(app, Mixin)


def case_exception_middleware_class_patched():
    class Mine(S.middleware_exceptions.ExceptionMiddleware):
        pass

    app = S.Starlette(routes=[S.Route("/a", ok("a"))])
    app.middleware_stack = S.middleware_errors.ServerErrorMiddleware(Mine(app.router))
    return patched_and_back(app, Mine)


def case_class_of_each_layer_replaced():
    out = []
    for base, layer in (
        (S.Router, lambda app: app.router),
        (S.middleware_exceptions.ExceptionMiddleware, lambda app: app.middleware_stack.app),
        (S.middleware_errors.ServerErrorMiddleware, lambda app: app.middleware_stack),
    ):
        mine = type("Mine", (base,), {"__call__": other_call})
        app = S.Starlette(routes=[S.Route("/a", ok("a"))])
        out.append(often(app, "/a"))
        before = type(layer(app))
        layer(app).__class__ = mine
        out.append(often(app, "/a"))
        layer(app).__class__ = before
        out.append(often(app, "/a"))
    return out


def case_class_of_router_replaced_below_middleware():
    class Mine(S.Router):
        __call__ = other_call

    class Above:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app(scope, receive, send)

    app = S.Starlette(routes=[S.Route("/a", ok("a"))], middleware=[S.Middleware(Above)])
    out = [often(app, "/a")]
    app.router.__class__ = Mine
    return [*out, often(app, "/a")]
