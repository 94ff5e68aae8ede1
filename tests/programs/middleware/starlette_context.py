"""starlette-context's own ContextMiddleware (a BaseHTTPMiddleware): context in the endpoint's background task."""

from record import *
from starlette_context import context, plugins
from starlette_context.middleware import ContextMiddleware


async def mail():
    try:
        log("mail", context.get("X-Request-ID"))
    except Exception as e:
        log("mail", type(e).__name__)


async def endpoint(request):
    return PlainTextResponse(context["X-Request-ID"], background=BackgroundTask(mail))


app = Starlette(
    routes=[Route("/", endpoint)],
    middleware=[Middleware(ContextMiddleware, plugins=(plugins.RequestIdPlugin(validate=False),))],
)


async def go():
    show(*await call(app, headers=[(b"x-request-id", b"0123456789abcdef0123456789abcdef")]))


main(go)
