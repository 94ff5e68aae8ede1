"""A stream ends the process before it has waited for anything."""

from record import *


async def endpoint(request):
    async def body():
        yield b"1"
        raise SystemExit(3)

    return StreamingResponse(body())


app = Starlette(routes=[Route("/", endpoint)])


async def go():
    out, e = await call(app)
    await asyncio.sleep(0.01)
    print("the server lives on, having caught", exc(e))


try:
    asyncio.run(go())
except BaseException as e:
    print("the loop ended with", exc(e))
