"""Cancelled from outside (asyncio): the endpoint cleans up with awaits in its except clause."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        log("endpoint: cancelled, rolling back")
        try:
            await asyncio.sleep(0.01)
            log("endpoint: rolled back")
        except asyncio.CancelledError:
            log("endpoint: roll back was cancelled, too")
            raise
        raise
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    t = asyncio.create_task(call(app))
    await asyncio.sleep(0.01)
    t.cancel()
    try:
        show(*await t)
    except BaseException as e:
        print("raised", exc(e))


main(go)
