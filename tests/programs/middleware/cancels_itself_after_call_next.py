"""dispatch cancels its own task once it has the response: what is sent, and does the background run?"""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        asyncio.current_task().cancel()
        return response


async def bg():
    print("background ran")


async def endpoint(request):
    return PlainTextResponse("x", background=BackgroundTask(bg))


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    t = asyncio.create_task(call(app))
    await asyncio.wait([t])
    print("cancelled" if t.cancelled() else exc(t.result()[1]))
    for line in LOG:
        print(line)


asyncio.run(go())
