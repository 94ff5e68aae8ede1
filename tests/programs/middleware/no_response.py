"""What an application that does not answer is told, with its causes: at once, or after a while."""

from record import *


class Outer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


async def at_once(scope, receive, send):
    pass


async def a_turn_later(scope, receive, send):
    await asyncio.sleep(0)


async def later(scope, receive, send):
    await asyncio.sleep(0.01)


async def fails_later(scope, receive, send):
    await asyncio.sleep(0.01)
    try:
        raise KeyError("first")
    except KeyError:
        raise ValueError("second")


async def fails_at_once(scope, receive, send):
    raise ValueError("only")


def chain(exc):
    told = []
    while exc is not None:
        shown = None if exc.__suppress_context__ else type(exc.__context__).__name__
        told.append((type(exc).__name__, str(exc), exc.__suppress_context__, shown))
        exc = exc.__cause__
    return told


async def go():
    for app in (at_once, a_turn_later, later, fails_later, fails_at_once):
        for layers in (1, 2):
            layered = app
            for _ in range(layers):
                layered = Outer(layered)
            _, exc = await call(layered)
            print(app.__name__, layers, chain(exc))


main(go)
