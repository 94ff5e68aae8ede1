"""Single flight: equal requests at once share one call of the endpoint (a future in a dict)."""

from record import *


class Single(BaseHTTPMiddleware):
    flights = {}

    async def dispatch(self, request, call_next):
        key = request.url.path
        if key in self.flights:
            body = await self.flights[key]
            return Response(body, headers={"x-shared": "1"})
        fut = self.flights[key] = asyncio.get_running_loop().create_future()
        try:
            response = await call_next(request)
            body = b"".join([c async for c in response.body_iterator])
            fut.set_result(body)
            return Response(body)
        finally:
            del self.flights[key]


calls = 0


async def endpoint(request):
    global calls
    calls += 1
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Single)])


async def go():
    await asyncio.gather(*(call(app) for _ in range(3)))
    print("calls of the endpoint", calls)
    LOG.clear()


main(go)
