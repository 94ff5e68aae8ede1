"""call_next raises: what dispatch sees of __cause__, __context__, notes, and identity; raised again; nested."""

from record import *

KEEP = ValueError("shared")


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except Exception as e:
            log(
                "M",
                exc(e),
                "cause",
                exc(e.__cause__),
                "ctx",
                exc(e.__context__),
                e.__suppress_context__,
                getattr(e, "__notes__", None),
                e is KEEP,
            )
            e.add_note("seen")
            raise


class W(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await call_next(request)
        except ValueError as e:
            raise RuntimeError("wrapped")


async def shared(request):
    raise KEEP


async def cause(request):
    try:
        raise KeyError("k")
    except KeyError as e:
        raise ValueError("v") from e


async def ctx(request):
    try:
        raise KeyError("k")
    except KeyError as e:
        raise ValueError("v")


async def none(request):
    try:
        raise KeyError("k")
    except KeyError as e:
        raise ValueError("v") from None


async def http(request):
    raise HTTPException(400)


import itertools


async def go():
    for ms in itertools.product([M, W], repeat=2):
        for f in (shared, cause, ctx, none, http):
            KEEP.__context__ = KEEP.__cause__ = None
            KEEP.__notes__ = []
            app = Starlette(routes=[Route("/", f)], middleware=[Middleware(m) for m in ms])
            log("--", [m.__name__ for m in ms], f.__name__)
            show(*await call(app))


main(go)
