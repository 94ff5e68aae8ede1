"""dispatch sends the response itself to a spy, then returns it (for logging what would be sent)."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        seen = []

        async def spy(message):
            seen.append(message)

        await response(request.scope, request.receive, spy)
        log("spied", [m.get("body") for m in seen])
        return response


def helper(r):
    pass


async def endpoint(request):
    return PlainTextResponse("ok", background=BackgroundTask(lambda: log("bg")))


async def detached(request):
    helper(request)
    return PlainTextResponse("ok", background=BackgroundTask(lambda: log("bg")))


app = Starlette(routes=[Route("/", endpoint), Route("/d", detached)], middleware=[Middleware(M)])


async def go():
    for p in ("/", "/d"):
        try:
            show(*await asyncio.wait_for(call(app, path=p), 2))
        except BaseException as e:
            print(exc(e))


main(go)
