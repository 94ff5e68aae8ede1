"""A task below that was given up and is kept by somebody: the stream it was sending is closed."""

import gc

from record import *

TASKS = []
CLOSED = []


class Raises(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await call_next(request)
        raise ValueError("after call_next")


class GivesUp(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        async with asyncio.timeout(0.01):
            await call_next(request)
            await asyncio.sleep(60)


async def content():
    try:
        while True:
            yield b"chunk"
    finally:
        CLOSED.append("closed")


async def streams(request):
    TASKS.append(asyncio.current_task())
    return StreamingResponse(content())


async def go():
    for middleware in (Raises, GivesUp):
        for depth in (1, 2):
            for spec in ("2.3", "2.4"):
                layers = [Middleware(middleware)] * depth
                app = Starlette(routes=[Route("/", streams)], middleware=layers)
                log(middleware.__name__, depth, spec)
                sent, raised = await call(app, spec=spec)
                gc.collect()  # on Starlette, too, there are cycles
                await asyncio.sleep(0.01)
                log(sent, type(raised).__name__, TASKS[-1].cancelled(), len(CLOSED))


main(go)
