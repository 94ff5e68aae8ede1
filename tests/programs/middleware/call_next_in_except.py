"""call_next in an except block (anonymous access): what the endpoint raises, logs, and re-raises."""

from record import *
import sys


class AuthError(Exception):
    pass


def authenticate(request):
    raise AuthError("no token")


class Auth(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            request.state.user = authenticate(request)
        except AuthError:
            request.state.user = None
            return await call_next(request)
        return await call_next(request)


async def fails(request):
    log("endpoint sees", exc(sys.exception()))
    raise ValueError("boom")


def sync_check():
    raise


async def reraises(request):
    sync_check()


async def handled(request):
    raise HTTPException(418)


app = Starlette(
    routes=[Route("/", fails), Route("/reraise", reraises), Route("/handled", handled)],
    middleware=[Middleware(Auth)],
)


async def go():
    for p in ("/", "/reraise", "/handled"):
        out, e = await call(app, path=p)
        show(out, e)
        if e:
            print("   context", exc(e.__context__))


main(go)
