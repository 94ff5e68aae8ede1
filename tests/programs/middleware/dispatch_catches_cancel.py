"""The server cancels the request (shutdown): dispatch answers 503; is the endpoint's work cancelled?"""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except asyncio.CancelledError:
            log("dispatch: cancelled, answering 503")
            return PlainTextResponse("shutting down", 503)


async def endpoint(request):
    log("endpoint: begin")
    try:
        await asyncio.sleep(0.05)
        log("endpoint: order committed")
    except asyncio.CancelledError:
        log("endpoint: cancelled")
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
