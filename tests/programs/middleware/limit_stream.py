"""A body limit and an endpoint that streams without reading a body that is too long (spec 2.3): listened to by the stream."""

from record import *


class Rewrap(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        return StreamingResponse(
            response.body_iterator, response.status_code, dict(response.headers)
        )


class Pass(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def plain(request):
    return PlainTextResponse("plain")


async def stream(request):
    async def b():
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"

    return StreamingResponse(b())


L = Middleware(RequestBodyLimitMiddleware, max_body_size=5)


async def go():
    for name, ms in {
        "L": [L],
        "L P": [L, Middleware(Pass)],
        "P L": [Middleware(Pass), L],
        "L R": [L, Middleware(Rewrap)],
        "R L": [Middleware(Rewrap), L],
        "P L R": [Middleware(Pass), L, Middleware(Rewrap)],
        "L P R": [L, Middleware(Pass), Middleware(Rewrap)],
        "P P L": [Middleware(Pass)] * 2 + [L],
    }.items():
        app = Starlette(
            routes=[Route("/p", plain, methods=["POST"]), Route("/s", stream, methods=["POST"])],
            middleware=ms,
        )
        for p in ("/p", "/s"):
            for body in ((b"x" * 10,), (b"", b"x" * 10, b"")):
                for h in ([], [(b"content-length", b"10")]):
                    print(name, p, len(body), bool(h))
                    t = asyncio.ensure_future(
                        call(app, path=p, method="POST", body=body, headers=h)
                    )
                    done, _ = await asyncio.wait([t], timeout=1)
                    if not done:
                        print("HANGS")
                        t.cancel()
                        await asyncio.wait([t], timeout=1)
                        continue
                    out, e = t.result()
                    print("  ", [(m.get("status") or m.get("body")) for m in out], exc(e))
    LOG.clear()


main(go)
