"""A `receive` that fails, such as a limit of the body, where is_disconnected() is asked below."""

from record import *


class Quit(BaseException):
    pass


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class OwnLimit:
    error, turns = ValueError("too large"), 0

    def __init__(self, app, max_body_size):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def limited():
            for _ in range(self.turns):
                await asyncio.sleep(0)
            message = await receive()
            if len(message["body"]) > 2:
                raise self.error
            return message

        await self.app(scope, limited, send)


class LateLimit(OwnLimit):
    turns = 3


class EndingLimit(OwnLimit):
    error = Quit("too large")


async def ask(request):
    return PlainTextResponse(str(await request.is_disconnected()))


async def ask_again(request):
    try:
        await request.is_disconnected()
    except BaseException as error:
        log("first", exc(error), asyncio.current_task().cancelling())
    await asyncio.sleep(0)  # nothing of the cancellation is left
    return PlainTextResponse(str(await request.is_disconnected()))


async def cancelled(request):
    asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
    try:
        await request.body()
    except BaseException as error:
        log("body", exc(error))
        raise
    return PlainTextResponse("read")


async def go():
    for limit in (RequestBodyLimitMiddleware, OwnLimit, LateLimit, EndingLimit):
        for below in ([M], [M, M]):
            routes = [
                Route(f"/{f.__name__}", f, methods=["POST"]) for f in (ask, ask_again, cancelled)
            ]
            middleware = [Middleware(limit, max_body_size=2), *map(Middleware, below)]
            app = Starlette(routes=routes, middleware=middleware)
            for route in routes:
                for body in ([b"abcdef"], [b"ab"]):
                    log(limit.__name__, len(below), route.path, body)
                    out, error = await call(app, path=route.path, method="POST", body=body)
                    log(exc(error), out)


main(go)
