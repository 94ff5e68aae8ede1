"""A (naive) cache keeps what call_next returned and answers with it again."""

from record import *


class Cache(BaseHTTPMiddleware):
    kept = {}

    async def dispatch(self, request, call_next):
        found = self.kept.get(request.url.path)
        if found is None:
            found = self.kept[request.url.path] = await call_next(request)
        return found


async def endpoint(request):
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Cache)])


async def go():
    for _ in range(2):
        show(*await call(app))


main(go)
