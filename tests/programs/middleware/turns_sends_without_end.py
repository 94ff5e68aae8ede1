"""An application that sends on and on, though nobody listens any more, lets the loop look at its sockets."""

import socket
from record import *


async def go():
    loop = asyncio.get_running_loop()
    for last in (True, False):
        ours, theirs = socket.socketpair()
        gone = []
        loop.add_reader(ours, gone.append, True)

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for number in range(100_000):
                await send({"type": "http.response.body", "body": b"x", "more_body": not last})
                if number == 3:
                    theirs.send(b"x")
                if gone:
                    break
            log("told that it is gone", bool(gone))

        async def dispatch(request, call_next):
            await call_next(request)
            return PlainTextResponse("another")

        show(*await call(BaseHTTPMiddleware(app, dispatch=dispatch)))
        loop.remove_reader(ours)
        ours.close()
        theirs.close()


main(go)
