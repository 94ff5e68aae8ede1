"""A send that fails at each message; causes; order of except and finally; with backgrounds."""

from record import *
import gc


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            r = await call_next(request)
            r.headers["x"] = "1"
            return r
        except BaseException as e:
            log("dispatch", exc(e))
            raise
        finally:
            log("dispatch finally")


async def bg():
    log("bg")


async def ok(request):
    try:
        return PlainTextResponse("ok", background=BackgroundTask(bg))
    finally:
        log("endpoint finally")


async def gen():
    try:
        for i in range(4):
            yield b"x%d" % i
            if i == 2:
                await asyncio.sleep(0.01)
    except BaseException as e:
        log("gen", type(e).__name__)
        raise
    finally:
        log("gen finally")


async def st(request):
    return StreamingResponse(gen(), background=BackgroundTask(bg))


async def bad(request):
    try:
        raise KeyError("a")
    except KeyError as e:
        raise ValueError("b") from e


async def bad2(request):
    try:
        raise KeyError("a")
    except KeyError:
        raise ValueError("b")


async def bad3(request):
    try:
        raise KeyError("a")
    except KeyError:
        raise ValueError("b") from None


async def badbg(request):
    async def b():
        raise ValueError("bg")

    return PlainTextResponse("o", background=BackgroundTask(b))


def chain(e):
    out = []
    while e is not None and len(out) < 6:
        out.append(
            (
                type(e).__name__,
                str(e),
                e.__suppress_context__,
                type(e.__cause__).__name__,
                type(e.__context__).__name__,
            )
        )
        e = e.__cause__ or e.__context__
    return out


async def go():
    for n in (1, 2, 3):
        app = Starlette(
            routes=[
                Route("/ok", ok),
                Route("/st", st),
                Route("/bad", bad),
                Route("/bad2", bad2),
                Route("/bad3", bad3),
                Route("/badbg", badbg),
            ],
            middleware=[Middleware(M)] * n,
        )
        for p in ("/ok", "/st", "/bad", "/bad2", "/bad3", "/badbg"):
            for fail in (0, 1, 2, 99):
                for E in (OSError, ClientDisconnect, RuntimeError):
                    LOG.clear()
                    k = [0]

                    def on(m):
                        k[0] += 1
                        if k[0] - 1 == fail:
                            raise E("send")

                    out, e = await call(app, path=p, on_send=on, spec="2.4")
                    print(
                        n,
                        p,
                        fail,
                        E.__name__,
                        [m.get("status") or m.get("body") for m in out],
                        chain(e),
                    )
                    e = None
                    gc.collect()  # on Starlette there are cycles, which hold the stream
                    for _ in range(5):
                        await asyncio.sleep(0)
                    print(LOG)
    LOG.clear()


main(go)
