"""A mounted Starlette with its own BaseHTTPMiddleware, and a Router with middleware."""

from record import *
from contextvars import ContextVar

v = ContextVar("v", default=())


def mk(name):
    class X(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            t = v.set((*v.get(), name))
            try:
                response = await call_next(request)
                response.headers.append("x-seen", repr(v.get()))
                return response
            finally:
                v.reset(t)

    return X


async def note():
    log("bg", v.get())


async def endpoint(request):
    return PlainTextResponse(repr(v.get()), background=BackgroundTask(note))


sub = Starlette(
    routes=[Route("/x", endpoint)], middleware=[Middleware(mk("sub1")), Middleware(mk("sub2"))]
)
app = Starlette(
    routes=[
        Mount("/sub", app=sub),
        Mount("/m", routes=[Route("/x", endpoint)], middleware=[Middleware(mk("mount"))]),
        Route("/r", endpoint, middleware=[Middleware(mk("route"))]),
        Mount("/rt", app=Router([Route("/x", endpoint)], middleware=[Middleware(mk("router"))])),
    ],
    middleware=[Middleware(mk("a")), Middleware(mk("b"))],
)


async def go():
    for p in ("/sub/x", "/m/x", "/r", "/rt/x", "/sub/none"):
        show(*await call(app, path=p))
    LOG[:] = [l for l in LOG if not l.startswith("send")]


main(go)
