"""The exception handler runs in the endpoint's task (SQLAlchemy's scoped session: rollback there)."""

from record import *
import asyncio

sessions = {}


def session():  # as async_scoped_session(scopefunc=current_task) has it
    return sessions.setdefault(id(asyncio.current_task()), [])


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


async def endpoint(request):
    session().append("row")
    raise ValueError("bad")


def describe(request):
    return str(request.url)


async def handler(request, exc):
    rows = session()
    return PlainTextResponse(f"{describe(request)} rolled back {rows}", 400)


app = Starlette(
    routes=[Route("/", endpoint)],
    middleware=[Middleware(M)],
    exception_handlers={ValueError: handler},
)


async def go():
    show(*await call(app))


main(go)
