"""An application cancels whoever waits above it, one level up or two, before it sends or after it has."""

from record import *


def dispatcher(name, hosts):
    async def dispatch(request, call_next):
        hosts[name] = asyncio.current_task()
        try:
            return await call_next(request)
        except asyncio.CancelledError:
            log(name, "cancelled", asyncio.current_task().cancelling())
            raise

    return dispatch


async def go():
    for cancelled, when in (("inner", "first"), ("inner", "after"), ("outer", "after")):
        hosts = {}

        async def app(scope, receive, send):
            if when == "first":
                hosts[cancelled].cancel()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            log("sent start")
            asyncio.get_running_loop().call_soon(log, "soon")
            if when == "after":
                hosts[cancelled].cancel()
            await send({"type": "http.response.body", "body": b"1", "more_body": True})
            log("sent 1")
            await send({"type": "http.response.body", "body": b"2"})
            log("sent 2")

        inner = BaseHTTPMiddleware(app, dispatch=dispatcher("inner", hosts))
        log("--", cancelled, when)
        show(*await call(BaseHTTPMiddleware(inner, dispatch=dispatcher("outer", hosts))))
        asyncio.current_task().uncancel()


main(go)
