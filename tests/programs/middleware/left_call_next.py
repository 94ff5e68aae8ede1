"""dispatch gives up waiting for call_next and answers: what does the call that was left raise?"""

from record import *


async def d(request, call_next):
    t = asyncio.create_task(call_next(request))
    t.add_done_callback(lambda t: print("left call_next:", repr(t.exception())))
    done, _ = await asyncio.wait([t], timeout=0.01)
    return t.result() if done else PlainTextResponse("accepted", 202)


async def endpoint(request):
    await asyncio.sleep(0.05)
    print("endpoint ran")
    return PlainTextResponse("x")


app = Starlette(
    routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=d)]
)


async def go():
    await call(app)
    print("returned")
    await asyncio.sleep(0.05)


asyncio.run(go())
