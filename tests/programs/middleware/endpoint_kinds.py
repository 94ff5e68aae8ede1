"""Endpoints of all kinds: partials, wraps, lambdas, callables, bound, static and class methods, generators, async generators, coroutines by hand."""

from record import *
import functools, types


def deco(f):
    @functools.wraps(f)
    async def w(*a, **k):
        return await f(*a, **k)

    return w


def deco1(f):
    @functools.wraps(f)
    async def w(request):
        return await f(request)

    return w


class V:
    async def m(self, request):
        return PlainTextResponse("m")

    @classmethod
    async def c(cls, request):
        return PlainTextResponse("c")

    @staticmethod
    async def s(request):
        return PlainTextResponse("s")

    def sync(self, request):
        return PlainTextResponse("sync")

    async def __call__(self, request):
        return PlainTextResponse("call")


async def p(a, request, b=2):
    return PlainTextResponse(f"p{a}{b}")


async def agen(request):
    yield 1


def gen(request):
    yield 1


async def plain(request):
    return PlainTextResponse("plain")


async def kw(request, *, x=1):
    return PlainTextResponse(f"kw{x}")


async def default(request, x=[]):
    x.append(1)
    return PlainTextResponse(f"d{len(x)}")


def returns_coro(request):
    return plain(request)


@types.coroutine
def oldcoro(request):
    yield
    return PlainTextResponse("old")


async def posonly(request, /):
    return PlainTextResponse("pos")


async def rebinding(request):
    request = Request(request.scope, request.receive)
    return PlainTextResponse(await request.body())


async def comp(request):
    return PlainTextResponse(",".join([request.headers[k] for k in ("host",)]))


async def lam(request):
    return PlainTextResponse((lambda: request.method)())


async def glob(request):
    return eval("PlainTextResponse(request.method)")


async def star(request):
    return PlainTextResponse(repr(sorted({**request.path_params, **dict(request.query_params)})))


async def delete(request):
    m = request.method
    del request
    return PlainTextResponse(m)


async def walrus(request):
    if (r := request).method:
        return PlainTextResponse(r.method)


async def tern(request):
    return PlainTextResponse((request if 1 else None).method)


async def matched(request):
    match request:
        case object(method="GET"):
            return PlainTextResponse("matched")


async def fstr(request):
    return PlainTextResponse(f"{request.method!r}")


async def iden(request):
    return PlainTextResponse(str(request is None))


async def sub(request):
    return PlainTextResponse(request["method"])


async def setstate(request):
    request.state.x = 1
    request.foo = 2
    return PlainTextResponse(str(request.foo))


v = V()
eps = [
    ("m", v.m),
    ("c", V.c),
    ("s", V.s),
    ("sync", v.sync),
    ("call", v),
    ("p", functools.partial(p, 1)),
    ("pp", functools.partial(functools.partial(p, 1), b=3)),
    ("agen", agen),
    ("gen", gen),
    ("deco", deco(plain)),
    ("deco1", deco1(plain)),
    ("kw", kw),
    ("default", default),
    ("rc", returns_coro),
    ("old", oldcoro),
    ("lambda", lambda request: PlainTextResponse("lambda")),
] + [
    (f.__name__, f)
    for f in (
        posonly,
        rebinding,
        comp,
        lam,
        glob,
        star,
        delete,
        walrus,
        tern,
        matched,
        fstr,
        iden,
        sub,
        setstate,
    )
]


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x"] = "1"
        return response


app = Starlette(
    routes=[Route("/" + n, e) for n, e in eps], middleware=[Middleware(M), Middleware(M)]
)


async def go():
    for n, _ in eps:
        for _ in (1, 2):
            out, e = await call(app, path="/" + n)
            print(n, [m.get("body") for m in out], exc(e))
    LOG.clear()


main(go)
