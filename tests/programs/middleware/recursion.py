"""An endpoint that needs 930 frames of the stack, below 10 middleware."""

from record import *


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


async def dispatch(request, call_next):
    return await call_next(request)


async def endpoint(request):
    return PlainTextResponse(str(deep(930)))


async def go():
    for n in (1, 3, 10, 30):
        app = Starlette(
            routes=[Route("/", endpoint)],
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)] * n,
        )
        out, e = await call(app)
        print(
            n, out[0]["status"], exc(e) if not isinstance(e, RecursionError) else "RecursionError"
        )


main(go)
