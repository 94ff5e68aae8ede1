"""StreamingResponse(response.body_iterator) and Response(body, headers=dict(response.headers)): the usual rewrites."""

from record import *


class Rewrap(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        return StreamingResponse(
            response.body_iterator, response.status_code, dict(response.headers)
        )


class Collect(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        body = b""
        async for chunk in response.body_iterator:
            body += chunk
        return Response(
            content=body,
            status_code=response.status_code,
            headers=dict(response.headers),
            media_type=response.media_type,
        )


class Put(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        chunks = [c async for c in response.body_iterator]

        async def again():
            for c in chunks:
                yield c.upper()

        response.body_iterator = again()
        return response


async def endpoint(request):
    return PlainTextResponse("okokok" * 20, background=BackgroundTask(lambda: log("bg")))


async def stream(request):
    async def b():
        for i in range(3):
            yield b"c%d" % i

    return StreamingResponse(b(), background=BackgroundTask(lambda: log("bg")))


import itertools


async def go():
    kinds = [
        Middleware(Rewrap),
        Middleware(Collect),
        Middleware(Put),
        Middleware(GZipMiddleware, minimum_size=10),
        Middleware(CORSMiddleware, allow_origins=["*"]),
    ]
    for ms in itertools.chain(itertools.permutations(kinds, 2), itertools.permutations(kinds, 3)):
        app = Starlette(routes=[Route("/", endpoint), Route("/s", stream)], middleware=list(ms))
        for p in ("/", "/s"):
            for spec in ("2.3", "2.4"):
                out, e = await call(
                    app,
                    path=p,
                    headers=[(b"accept-encoding", b"gzip"), (b"origin", b"http://a")],
                    spec=spec,
                )
                show(out, e)
    LOG[:] = [l for l in LOG if not l.startswith("send")]


main(go)
