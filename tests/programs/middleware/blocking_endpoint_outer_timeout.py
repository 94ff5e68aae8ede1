"""A pure ASGI timeout outside; the endpoint hogs the CPU longer than that."""

from record import *
import time


class T:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        try:
            async with asyncio.timeout(0.02):
                await self.app(scope, receive, send)
        except TimeoutError:
            log("timeout: 504")
            await PlainTextResponse("timeout", 504)(scope, receive, send)


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    time.sleep(0.05)
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(T), Middleware(M)])


async def go():
    show(*await call(app))


main(go)
