"""Order of what a stream's generator does and what dispatch does after call_next."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        log("dispatch: after")
        await asyncio.sleep(0)
        log("dispatch: after sleep")
        return response


async def stream(request):
    async def body():
        log("generator begins")
        yield b"a"
        log("generator goes on")
        yield b"b"
        log("generator ends")

    return StreamingResponse(body())


def helper(request):
    pass


async def detached(request):
    helper(request)
    return PlainTextResponse("ok", background=BackgroundTask(lambda: log("bg")))


async def go():
    for spec in ("2.3", "2.4"):
        for n in (1, 2):
            app = Starlette(
                routes=[Route("/s", stream), Route("/d", detached)], middleware=[Middleware(M)] * n
            )
            for p in ("/s", "/d"):
                log("---", spec, n, p)
                show(*await call(app, path=p, spec=spec))


main(go)
