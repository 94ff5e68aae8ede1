"""dispatch_func, app, __class__, instance attributes and class methods replaced at run time, between and within requests."""

from record import *
import functools, types


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers.append("x", "M")
        return response

    async def other(self, request, call_next):
        response = await call_next(request)
        response.headers.append("x", "other")
        return response

    async def _opt(self, opt, request, call_next):
        response = await call_next(request)
        response.headers.append("x", opt)
        return response

    pm = functools.partialmethod(_opt, "partialmethod")


class N(M):
    async def dispatch(self, request, call_next):
        response = await super().dispatch(request, call_next)
        response.headers.append("x", "N")
        return response


async def endpoint(request):
    return PlainTextResponse("ok")


made = []


def mk(cls):
    def f(app):
        m = cls(app)
        made.append(m)
        return m

    return Middleware(f)


app = Starlette(routes=[Route("/", endpoint)], middleware=[mk(M), mk(N), mk(M)])


async def go():
    async def see():
        out, e = await call(app)
        print([v for k, v in out[0]["headers"] if k == b"x"], exc(e))

    await see()
    m = made[0]
    m.dispatch_func = m.other
    await see()
    m.dispatch_func = m.pm
    await see()
    m.dispatch = types.MethodType(lambda self, r, c: None, m)
    await see()
    M.dispatch = M.other
    await see()
    made[1].__class__ = N
    await see()

    async def dyn(request, call_next):
        made[2].dispatch_func = made[2].other
        made[1].app, keep = (lambda s, r, d: PlainTextResponse("swapped")(s, r, d)), made[1].app
        try:
            return await call_next(request)
        finally:
            made[1].app = keep

    made[0].dispatch_func = dyn
    await see()
    await see()

    class C:
        async def __call__(self, request, call_next):
            return await call_next(request)

    made[0].dispatch_func = C()
    await see()
    del made[1].dispatch_func
    try:
        await see()
    except Exception as e:
        print(exc(e))
    LOG.clear()


main(go)
