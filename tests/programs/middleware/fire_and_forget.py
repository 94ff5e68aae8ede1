"""dispatch leaves call_next to a task that has not begun, and answers by itself."""

from record import *

tasks = []


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        tasks.append(asyncio.create_task(call_next(request)))
        return PlainTextResponse("accepted", 202)


async def endpoint(request):
    print("endpoint ran")
    return PlainTextResponse("x")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    out, e = await call(app)
    print(out[0]["status"])
    await asyncio.sleep(0.05)
    print("the task raised", type(tasks[0].exception()).__name__)


asyncio.run(go())
