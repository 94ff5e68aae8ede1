"""The outer of two middleware gives the endpoint's own response a background task."""

from record import *


async def outer(request, call_next):
    response = await call_next(request)
    request.state.response.background = BackgroundTask(log, "late")
    return response


async def inner(request, call_next):
    return await call_next(request)


async def endpoint(request):
    r = request.state.response = PlainTextResponse("x")
    return r


app = Starlette(
    routes=[Route("/", endpoint)],
    middleware=[
        Middleware(BaseHTTPMiddleware, dispatch=outer),
        Middleware(BaseHTTPMiddleware, dispatch=inner),
    ],
)


async def go():
    await call(app)
    await asyncio.sleep(0.01)


main(go)
