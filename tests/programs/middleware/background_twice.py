"""GZip between two BaseHTTPMiddleware; the inner one gives the response a background task: how often does it run?"""

from record import *


class Outer(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def charge():
    log("charged")


class Inner(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.background = BackgroundTask(charge)
        return response


def helper(r):
    pass


async def plain(request):
    return PlainTextResponse("plain" * 200)


async def detached(request):
    helper(request)
    return PlainTextResponse("plain" * 200)


async def stream(request):
    return StreamingResponse(iter([b"a"]))


async def file(request):
    return FileResponse(__file__)


app = Starlette(
    routes=[Route("/" + f.__name__, f) for f in (plain, detached, stream, file)],
    middleware=[Middleware(Outer), Middleware(GZipMiddleware), Middleware(Inner)],
)


async def go():
    for r in app.routes:
        for ext in ({}, {"http.response.pathsend": {}}):
            for h in ([], [(b"accept-encoding", b"gzip")]):
                LOG.clear()
                out, e = await call(app, path=r.path, extensions=ext, headers=h)
                print(r.path, bool(ext), bool(h), LOG.count("charged"), exc(e))
    LOG.clear()


main(go)
