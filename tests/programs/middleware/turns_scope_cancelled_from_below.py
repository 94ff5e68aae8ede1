"""An application cancels a scope that dispatch waits in; what is due after that, and how often it was cancelled."""

import anyio
from record import *


async def go():
    for pieces in range(3):
        scopes = []

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for piece in range(pieces):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                log("sent", piece)
            asyncio.get_running_loop().call_soon(log, "soon")
            scopes[0].cancel()
            await send({"type": "http.response.body", "body": b"z"})
            log("sent all")

        async def dispatch(request, call_next):
            task = asyncio.current_task()
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                response = await call_next(request)
                log("response", task.cancelling())
                async for piece in response.body_iterator:
                    log("piece", piece, task.cancelling())
            log("left", scope.cancel_called, scope.cancelled_caught, task.cancelling())
            return PlainTextResponse("over")

        log("--", pieces)
        show(*await call(BaseHTTPMiddleware(app, dispatch=dispatch)))


main(go)
