"""The client has gone: dispatch asks is_disconnected() while a stream below listens for that, too."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class Asks(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["gone"] = str([await request.is_disconnected() for _ in range(3)])
        return response


async def numbers():
    for number in range(4):
        yield b"%d" % number
        await asyncio.sleep(0)


async def asks_and_streams(request):
    log("gone", await request.is_disconnected())
    return StreamingResponse(numbers())


async def streams(request):
    return StreamingResponse(numbers())


async def go():
    for endpoint in (asks_and_streams, streams):
        for middleware in ([M, Asks], [Asks], [M, M, Asks], [Asks, M], [M, Asks, M]):
            app = Starlette(
                routes=[Route("/", endpoint)], middleware=[*map(Middleware, middleware)]
            )
            log(endpoint.__name__, [m.__name__ for m in middleware])
            show(*await call(app, hang=False))


main(go)
