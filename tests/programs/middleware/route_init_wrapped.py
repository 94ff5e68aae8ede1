"""A tracer wraps Route.__init__ and passes another endpoint down: what stock has stored is served."""

import starlette.routing
from record import *

original = starlette.routing.Route.__init__


def init(self, path, endpoint, **options):
    if isinstance(endpoint, type):

        async def traced(scope, receive, send):
            log("traced", scope["path"])
            await endpoint(scope, receive, send)

        original(self, path, traced, **options)
        self.app = traced
    else:

        async def wrapped(request):
            log("wrapped", request.url.path)
            return await endpoint(request)

        original(self, path, wrapped, **options)


starlette.routing.Route.__init__ = init


async def hello(request):
    return PlainTextResponse("hello")


class Page(HTTPEndpoint):
    async def get(self, request):
        return PlainTextResponse("page")


app = Starlette(routes=[Route("/hello", hello), Route("/page", Page)])


async def go():
    show(*await call(app, path="/hello"))
    show(*await call(app, path="/page"))


main(go)
