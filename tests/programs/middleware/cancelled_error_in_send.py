"""A `send` between BaseHTTPMiddleware raises an error of its own, also a CancelledError: is an end sent?"""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class Fails:
    def __init__(self, app, at, error):
        self.app, self.at, self.error = app, at, error

    async def __call__(self, scope, receive, send):
        async def wrapped(message):
            if message["type"] == self.at:
                raise self.error("own")
            await send(message)

        await self.app(scope, receive, wrapped)


async def plain(request):
    return PlainTextResponse("ok")


async def streamed(request):
    async def pieces():
        yield b"a"
        yield b"b"

    return StreamingResponse(pieces())


async def go():
    for error in (asyncio.CancelledError, ValueError):
        for at in ("http.response.start", "http.response.body"):
            for below in (
                [],
                [GZipMiddleware],
                [GZipMiddleware, M],
                [M],
                [M, M],
                [M, GZipMiddleware],
            ):
                middleware = [M, Middleware(Fails, at=at, error=error), *below]
                middleware = [Middleware(m) if isinstance(m, type) else m for m in middleware]
                app = Starlette(
                    routes=[Route("/plain", plain), Route("/streamed", streamed)],
                    middleware=middleware,
                )
                for path in ("/plain", "/streamed"):
                    log(error.__name__, at, [m.__name__ for m in below], path)
                    out, raised = await call(app, path=path)
                    log(exc(raised), len(out))


main(go)
