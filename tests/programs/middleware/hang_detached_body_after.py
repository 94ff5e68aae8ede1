"""Alone: a background task of the middleware iterates over body_iterator, endpoint in a task of its own: does it ever end?"""

from record import *


async def look(response):
    log("rest:", [c async for c in response.body_iterator])


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.background = BackgroundTask(look, response)
        return response


def helper(request):
    pass


async def detached(request):
    helper(request)
    return PlainTextResponse("ok")


async def stream(request):
    return StreamingResponse(iter([b"a", b"b"]))


app = Starlette(routes=[Route("/d", detached), Route("/s", stream)], middleware=[Middleware(M)])


async def go():
    for p in ("/d", "/s"):
        t = asyncio.ensure_future(call(app, path=p))
        done, pending = await asyncio.wait([t], timeout=2)
        print(p, "ended" if done else "HANGS")
        t.cancel()
        await asyncio.wait([t], timeout=1)
    LOG.clear()


main(go)
