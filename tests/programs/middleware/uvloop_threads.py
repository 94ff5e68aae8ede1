"""def endpoints in threads: from_thread.run, check_cancelled, contextvars."""

from record import *
import anyio, contextvars, threading

v = contextvars.ContextVar("v", default="none")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        v.set("set above")
        response = await call_next(request)
        response.headers["x"] = v.get()
        return response


async def inner():
    return v.get()


def endpoint(request):
    a = v.get()
    v.set("in thread")
    b = anyio.from_thread.run(inner)
    body = anyio.from_thread.run(request.body)
    anyio.from_thread.check_cancelled()
    return PlainTextResponse(f"{a} {b} {body}")


app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=[Middleware(M)])


async def go():
    show(*await call(app, method="POST", body=(b"x",)))


main(go)
