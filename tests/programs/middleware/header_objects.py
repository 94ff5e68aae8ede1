"""All that MutableHeaders can do, on what call_next returns."""

from record import *


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        h = response.headers
        for f in (
            lambda: h.__setitem__("X-Ä", "ö"),
            lambda: h.__setitem__("x-€", "1"),
            lambda: h.__setitem__("x-v", "€"),
            lambda: h.__setitem__("x-n", 5),
            lambda: h.__setitem__(b"x", "1"),
            lambda: h.update({"A": "1", "a": "2"}),
            lambda: h.setdefault("A", "3"),
            lambda: h.append("a", "4"),
            lambda: h.__setitem__("A", "5"),
            lambda: h.__delitem__("zz"),
            lambda: h.add_vary_header("X"),
            lambda: h.__ior__({"q": "1"}),
            lambda: (h | {"r": "2"}).raw,
            lambda: h.mutablecopy().raw,
            lambda: h.raw,
            lambda: h.keys(),
            lambda: h.getlist("a"),
            lambda: h == h.mutablecopy(),
            lambda: repr(h),
            lambda: h.raw is response.raw_headers,
            lambda: hash(h),
        ):
            try:
                log(f())
            except Exception as e:
                log(exc(e))
        return response


async def endpoint(request):
    return PlainTextResponse("ok", headers={"A": "0"})


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
