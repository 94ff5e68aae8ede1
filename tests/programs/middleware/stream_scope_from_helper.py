"""A streaming proxy: a helper enters a timeout (anyio.fail_after) for the upstream, the generator leaves it."""

from record import *
import anyio
from contextlib import AsyncExitStack


class Upstream:
    async def open(self):
        self.scope = anyio.fail_after(30)
        self.scope.__enter__()
        return self

    async def read(self):
        for c in (b"a", b"b"):
            await asyncio.sleep(0)
            yield c

    async def close(self):
        self.scope.__exit__(None, None, None)
        log("closed")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    upstream = await Upstream().open()

    async def body():
        try:
            async for c in upstream.read():
                yield c
        finally:
            await upstream.close()

    return StreamingResponse(body())


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    for spec in ("2.4",):
        show(*await call(app, spec=spec))


main(go)
