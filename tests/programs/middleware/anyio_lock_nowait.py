"""An anyio.Lock held by dispatch (try/finally), asked for by the endpoint without waiting."""

from record import *
import anyio


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await lock.acquire()
        try:
            return await call_next(request)
        finally:
            lock.release()


async def endpoint(request):
    try:
        lock.acquire_nowait()
    except anyio.WouldBlock:
        return PlainTextResponse("busy", 429)
    return PlainTextResponse("got it")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    global lock
    lock = anyio.Lock()
    show(*await call(app))


main(go)
