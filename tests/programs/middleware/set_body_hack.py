"""The famous hack: request._receive = ... after reading the body."""

from record import *


async def set_body(request, body):
    async def receive():
        return {"type": "http.request", "body": body}

    request._receive = receive


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        body = await request.body()
        await set_body(request, body)
        response = await call_next(request)
        return response


class M2(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await set_body(request, b"another")
        request._body = b"third"
        return await call_next(request)


class M3(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        await set_body(request, b"fourth")
        return await call_next(request)


async def endpoint(request):
    b = await request.body()
    d = "?"
    return PlainTextResponse(b + str(d).encode())


async def go():
    for ms in ([M], [M2], [M3], [M, M2], [M2, M], [M3, M], [M, M3]):
        app = Starlette(
            routes=[Route("/", endpoint, methods=["POST"])], middleware=[Middleware(m) for m in ms]
        )
        show(*await call(app, method="POST", body=(b"ab", b"cd")))


main(go)
