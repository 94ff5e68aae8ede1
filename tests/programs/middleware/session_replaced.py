"""The endpoint puts a plain dict in the place of the session."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except Exception as e:
            log("dispatch:", exc(e))
            raise


async def endpoint(request):
    request.scope["session"] = {"a": 1}
    return PlainTextResponse("ok", background=BackgroundTask(lambda: log("bg")))


async def gone(request):
    del request.scope["session"]
    return PlainTextResponse("ok")


async def handler(request, e):
    return PlainTextResponse("handled", 400)


async def go():
    for handlers in ({}, {AttributeError: handler, KeyError: handler}):
        for ms in ([Middleware(M)], []):
            app = Starlette(
                routes=[Route("/", endpoint), Route("/gone", gone)],
                middleware=[*ms, Middleware(SessionMiddleware, secret_key="x")],
                exception_handlers=handlers,
            )
            for p in ("/", "/gone"):
                show(*await call(app, path=p))
                log("--")


main(go)
