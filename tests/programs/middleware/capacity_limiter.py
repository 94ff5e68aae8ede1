"""anyio.CapacityLimiter, whose tokens belong to tasks: dispatch holds one (try/finally), the endpoint takes another."""

from record import *
import anyio


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await limiter.acquire()
        try:
            return await call_next(request)
        finally:
            limiter.release()


async def query():
    async with limiter:
        return "row"


async def endpoint(request):
    return PlainTextResponse(await query())


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    global limiter
    limiter = anyio.CapacityLimiter(10)
    show(*await call(app))


main(go)
