"""The generator of a StreamingResponse runs in the endpoint's task (spec 2.4), its background task as well."""

from record import *

sessions = {}


def session():
    return sessions.setdefault(id(asyncio.current_task()), [])


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    session().append("row")

    async def body():
        yield repr(session())

    async def bg():
        log("background", session())

    return StreamingResponse(body(), background=BackgroundTask(bg))


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app, spec="2.4"))


main(go)
