"""Somebody's `send` cancels the request while a part of the response is sent: how far it still goes."""

import anyio
from record import *


class CancelsScope:
    def __init__(self, app, at):
        self.app, self.at = app, at

    async def __call__(self, scope, receive, send):
        with anyio.CancelScope() as cancelled:
            await self.app(scope, receive, self.cancelling(send, cancelled.cancel))
        log("caught", cancelled.cancelled_caught)

    def cancelling(self, send, cancel):
        left = [self.at]

        async def wrapped(message):
            await send(message)
            left[0] -= 1
            if left[0] == 0:
                cancel()

        return wrapped


class CancelsScopeSoon(CancelsScope):
    def cancelling(self, send, cancel):
        loop = asyncio.get_running_loop()
        return super().cancelling(send, lambda: loop.call_soon(cancel))


class CancelsTask(CancelsScope):
    async def __call__(self, scope, receive, send):
        task = asyncio.current_task()
        try:
            await self.app(scope, receive, self.cancelling(send, task.cancel))
        except asyncio.CancelledError:
            log("cancelled", task.uncancel())


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class Adds(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.background = BackgroundTask(background)
        return response


class After:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            log("after", type(error).__name__)
            raise
        log("after")


async def background():
    log("background")
    await asyncio.sleep(0)
    log("background's end")


async def plain(request):
    return PlainTextResponse("ok")


async def empty(request):
    return Response()


async def with_background(request):
    return PlainTextResponse("ok", background=BackgroundTask(background))


async def streamed(request):
    async def pieces():
        yield b"a"
        yield b"b"

    return StreamingResponse(pieces())


async def go():
    endpoints = (plain, empty, with_background, streamed)
    routes = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in endpoints]
    for cls in (CancelsScope, CancelsScopeSoon, CancelsTask):
        for at in (1, 2, 3):
            for below in (
                [M],
                [M, M],
                [M, After],
                [After, M],
                [M, After, M],
                [M, GZipMiddleware, M],
                [M, M, After],
                [M, M, M],
                [Adds],
                [M, Adds],
            ):
                middleware = [Middleware(cls, at=at), *map(Middleware, below)]
                app = Starlette(routes=routes, middleware=middleware)
                for route in [*routes, Route("/404", plain)]:
                    log(cls.__name__, at, [m.__name__ for m in below], route.path)
                    out, error = await call(app, path=route.path)
                    log(exc(error), len(out))


main(go)
