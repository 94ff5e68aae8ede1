"""call_next in a finally clause, and in an except* clause, and in a with suppress(...)."""

from record import *
import sys


async def d1(request, call_next):
    try:
        raise KeyError("pre")
    except KeyError:
        pass
    finally:
        response = await call_next(request)
    return response


async def d2(request, call_next):
    response = None
    try:
        raise ExceptionGroup("g", [KeyError("a")])
    except* KeyError:
        response = await call_next(request)
    return response


async def d3(request, call_next):
    try:
        raise KeyError("pre")
    finally:
        return await call_next(request)


async def endpoint(request):
    log("sees", exc(sys.exception()))
    raise ValueError("boom")


async def go():
    for d in (d1, d2, d3):
        app = Starlette(
            routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=d)]
        )
        show(*await call(app))


main(go)
