"""The endpoint gives up on a slow body (wait_for), then reads it."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    try:
        b = await asyncio.wait_for(request.body(), 0.01)
    except TimeoutError:
        log("gave up")
        await asyncio.sleep(0.03)
        b = await request.body()
    return PlainTextResponse(b)


app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=[Middleware(M)])


async def go():
    s = scope("/", method="POST")
    n = 0
    out = []

    async def receive():
        nonlocal n
        n += 1
        if n <= 2:
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"ab%d" % n, "more_body": n < 2}
        await asyncio.sleep(1)
        return {"type": "http.disconnect"}

    async def send(m):
        out.append(m)

    try:
        await app(s, receive, send)
    except BaseException as e:
        print("raised", exc(e))
    show(out, None)
    print(n)


main(go)
