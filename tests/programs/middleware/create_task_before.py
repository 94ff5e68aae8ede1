"""dispatch starts a task, then calls on: does the task begin before the endpoint?"""

from record import *


async def audit():
    log("audit begins")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        t = asyncio.create_task(audit())
        response = await call_next(request)
        response.headers["x-done"] = str(t.done())
        return response


async def endpoint(request):
    log("endpoint")
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
