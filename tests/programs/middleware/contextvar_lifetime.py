"""How long what a context variable of the endpoint holds is kept."""

from record import *
import contextvars

V = contextvars.ContextVar("V")


class Res:
    def __del__(self):
        log("released")


async def d(request, call_next):
    r = await call_next(request)
    await asyncio.sleep(0.002)
    return r


async def endpoint(request):
    V.set(Res())
    return PlainTextResponse("x")


app = Starlette(
    routes=[Route("/", endpoint)],
    middleware=[
        Middleware(BaseHTTPMiddleware, dispatch=d),
        Middleware(BaseHTTPMiddleware, dispatch=d),
    ],
)


async def go():
    await asyncio.create_task(call(app))
    await asyncio.sleep(0.002)


main(go)
