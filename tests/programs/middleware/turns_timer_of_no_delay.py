"""A timer without a delay is over at the next turn: between two messages, whichever side has set it."""

from record import *


async def go():
    loop = asyncio.get_running_loop()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in range(4):
            loop.call_later(0, log, "timer of the application", piece)
            await send({"type": "http.response.body", "body": b"%d" % piece, "more_body": True})
            log("sent", piece)
        await send({"type": "http.response.body"})
        log("sent all")

    async def dispatch(request, call_next):
        return await call_next(request)

    def on_send(message):
        loop.call_later(0, log, "timer of the server", message.get("body"))

    for layers in (1, 2):
        top = app
        for _ in range(layers):
            top = BaseHTTPMiddleware(top, dispatch=dispatch)
        log("--", layers)
        show(*await call(top))
        show(*await call(top, on_send=on_send))


main(go)
