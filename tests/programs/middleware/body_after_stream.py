"""An audit middleware reads request.body() after call_next, the endpoint streams (spec 2.3, as uvicorn has it) and never read it."""

from record import *


class Audit(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        try:
            log("audit", await request.body())
        except Exception as e:
            log("audit", exc(e))
        return response


async def stream(request):
    return StreamingResponse(iter([b"a"]))


async def astream(request):
    async def b():
        yield b"a"

    return StreamingResponse(b())


app = Starlette(
    routes=[Route("/s", stream, methods=["POST"]), Route("/a", astream, methods=["POST"])],
    middleware=[Middleware(Audit)],
)


async def go():
    for p in ("/s", "/a"):
        for slow in (0, 1, 2, 3):
            for body in (
                (b"",),
                (b"ab",),
                (b"ab", b"cd"),
                (b"", b"x", b""),
                (b"a", b"b", b"c", b"d"),
            ):
                msgs = [
                    {"type": "http.request", "body": b, "more_body": i < len(body) - 1}
                    for i, b in enumerate(body)
                ]
                out = []
                gone = asyncio.Event()

                async def receive():
                    for _ in range(slow):
                        await asyncio.sleep(0)
                    if msgs:
                        return msgs.pop(0)
                    await gone.wait()
                    return {"type": "http.disconnect"}

                async def send(m):
                    out.append(m)

                log("--", p, "slow", slow, body)
                t = asyncio.ensure_future(app(scope(p, "POST"), receive, send))
                done, pending = await asyncio.wait([t], timeout=0.5)
                if pending:
                    log("HANGS")
                    gone.set()
                    t.cancel()
                    await asyncio.wait([t], timeout=1)
                else:
                    log(len(out), exc(t.exception()) if not t.cancelled() else "cancelled")


main(go)
