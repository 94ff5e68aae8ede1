"""The endpoint starts a task and answers: does the task begin before the answer is sent?"""

from record import *


async def work():
    log("work begins")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-work"] = str(len(LOG))
        return response


async def endpoint(request):
    request.state.t = asyncio.create_task(work())
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
