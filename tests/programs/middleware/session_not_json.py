"""SessionMiddleware below a BaseHTTPMiddleware; the session cannot be encoded; an exception handler is there for TypeError."""

from record import *
from datetime import datetime


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except Exception as e:
            log("dispatch:", exc(e), exc(e.__cause__))
            raise


async def endpoint(request):
    request.session["now"] = datetime(2020, 1, 1)
    return PlainTextResponse("ok")


async def handler(request, e):
    return PlainTextResponse("handled", 400)


async def go():
    for handlers in ({}, {TypeError: handler}, {Exception: handler}, {500: handler}):
        app = Starlette(
            routes=[Route("/", endpoint)],
            middleware=[Middleware(M), Middleware(SessionMiddleware, secret_key="x")],
            exception_handlers=handlers,
        )
        show(*await call(app))
        log("--")


main(go)
