"""The endpoint's background task awaits a task that was cancelled."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def bg():
    t = asyncio.ensure_future(asyncio.sleep(10))
    t.cancel()
    await t


async def endpoint(request):
    return PlainTextResponse("ok", background=BackgroundTask(bg))


async def go():
    for n in (1, 2):
        app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)] * n)
        show(*await call(app))


main(go)
