"""A middleware's background task looks at body_iterator after the answer (it is exhausted on stock)."""

from record import *


async def look(response):
    log("rest of the body:", [c async for c in response.body_iterator])


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.background = BackgroundTask(look, response)
        return response


async def plain(request):
    return PlainTextResponse("ok")


def helper(request):
    pass


async def detached(request):
    helper(request)
    return PlainTextResponse("ok")


app = Starlette(
    routes=[Route("/plain", plain), Route("/detached", detached)], middleware=[Middleware(M)]
)


async def go():
    for path in ("/plain", "/detached"):
        try:
            show(*await asyncio.wait_for(call(app, path=path), 3))
        except BaseException as e:
            print(path, "raised", exc(e))


main(go)
