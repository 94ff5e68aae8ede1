"""An anyio.Lock taken by the endpoint is released at the end of its stream, or in its background task."""

from record import *
import anyio


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def stream(request):
    await lock.acquire()

    async def body():
        try:
            yield b"exclusive"
        finally:
            lock.release()

    return StreamingResponse(body())


async def background(request):
    await lock.acquire()

    async def done():
        lock.release()
        log("released")

    return PlainTextResponse("x", background=BackgroundTask(done))


async def filed(request):
    await lock.acquire()

    async def done():
        lock.release()
        log("released")

    return (
        FileResponse(__file__, background=BackgroundTask(done), headers={"content-length": "0"})
        if 0
        else StreamingResponse(iter([b"a"]), background=BackgroundTask(done))
    )


app = Starlette(
    routes=[Route("/stream", stream), Route("/background", background), Route("/filed", filed)],
    middleware=[Middleware(M)],
)


async def go():
    global lock
    for path in ("/stream", "/background", "/filed"):
        lock = anyio.Lock()
        show(*await call(app, path=path, spec="2.4"))
        print(path, "still locked:", lock.locked())


main(go)
