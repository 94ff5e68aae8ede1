"""A pure ASGI middleware with a deadline that is over (anyio.move_on_after(0))."""

from record import *
import anyio


class T:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        with anyio.move_on_after(0) as cs:
            await self.app(scope, receive, send)
        if cs.cancelled_caught:
            log("deadline")
            await PlainTextResponse("deadline", 504)(scope, receive, send)


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        log("before")
        response = await call_next(request)
        log("after")
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    log("endpoint")
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(T), Middleware(M)])


async def go():
    show(*await call(app))


main(go)
