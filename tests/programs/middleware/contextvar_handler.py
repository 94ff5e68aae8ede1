"""What is set above is seen by handlers, and what dispatch sets after call_next by the background task."""

from record import *
from contextvars import ContextVar

v = ContextVar("v", default="<none>")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        v.set("before")
        response = await call_next(request)
        v.set("after")
        return response


async def bg():
    log("background sees", v.get())


async def endpoint(request):
    return PlainTextResponse(v.get(), background=BackgroundTask(bg))


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
