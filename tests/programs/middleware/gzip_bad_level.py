"""GZip below a BaseHTTPMiddleware with a level that zlib refuses; a handler for ValueError / zlib.error."""

from record import *
import zlib


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except Exception as e:
            log("dispatch:", exc(e), exc(e.__cause__))
            raise


async def endpoint(request):
    return PlainTextResponse("ok" * 1000, background=BackgroundTask(lambda: log("bg")))


async def handler(request, e):
    return PlainTextResponse("handled", 400)


async def go():
    for handlers in ({}, {ValueError: handler, zlib.error: handler}):
        app = Starlette(
            routes=[Route("/", endpoint)],
            middleware=[Middleware(M), Middleware(GZipMiddleware, compresslevel=42)],
            exception_handlers=handlers,
        )
        show(*await call(app, headers=[(b"accept-encoding", b"gzip")]))
        log("--")


main(go)
