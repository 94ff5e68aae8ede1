"""What dispatch gets is a function of Starlette's, by its name, and can be weakly referenced."""

from record import *
import inspect, weakref


async def d(request, call_next):
    try:
        call_next.tag = 1
        print("tag", call_next.tag)
    except AttributeError as e:
        print("AttributeError")
    print(
        "weak",
        weakref.ref(call_next)() is not None,
        "function",
        inspect.isfunction(call_next),
        call_next.__module__,
    )
    try:
        await call_next(request, 1)
    except TypeError as e:
        print(e)
    r = await call_next(request)
    print(r.body_iterator.__name__, r.body_iterator.__qualname__)
    return r


async def endpoint(request):
    return PlainTextResponse("x")


app = Starlette(
    routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=d)]
)
asyncio.run(call(app))
