"""The server cancels during a background task, which swallows it."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def bg():
    for i in range(3):
        try:
            await asyncio.sleep(0.2)
            log("bg step", i)
        except asyncio.CancelledError:
            log("bg ignores its cancellation")


async def endpoint(request):
    return PlainTextResponse("ok", background=BackgroundTask(bg))


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    await call(app, path="/none")
    LOG.clear()
    t = asyncio.create_task(call(app))
    await asyncio.sleep(0.3)
    t.cancel()
    try:
        show(*await t)
    except BaseException as e:
        print("raised", exc(e))


main(go)
