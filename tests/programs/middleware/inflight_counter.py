"""A limit of requests in flight (503 above it), as an in-process bulkhead: N requests at once, endpoint without awaits."""

from record import *


class Bulkhead(BaseHTTPMiddleware):
    n = 0

    async def dispatch(self, request, call_next):
        if self.n >= 2:
            return PlainTextResponse("busy", 503)
        self.n += 1
        try:
            return await call_next(request)
        finally:
            self.n -= 1


async def endpoint(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Bulkhead)])


async def go():
    r = await asyncio.gather(*(call(app) for _ in range(5)))
    print([o[0]["status"] for o, e in r])
    LOG.clear()


main(go)
