"""The same, where the endpoint has a task of its own."""

from record import *
import sys


class AuthError(Exception):
    pass


def authenticate(request):
    raise AuthError("no token")


def helper(request):
    pass


class Auth(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            request.state.user = authenticate(request)
        except AuthError:
            request.state.user = None
            return await call_next(request)
        return await call_next(request)


async def fails(request):
    helper(request)
    log("endpoint sees", exc(sys.exception()))
    raise ValueError("boom")


app = Starlette(routes=[Route("/", fails)], middleware=[Middleware(Auth)])


async def go():
    out, e = await call(app)
    show(out, e)


main(go)
