"""A helper of the endpoint cancels its own task."""

from record import *


async def give_up():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except Exception as e:
            log("dispatch:", exc(e))
            raise


async def endpoint(request):
    await give_up()
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
