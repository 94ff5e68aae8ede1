"""Tasks of the application's or of dispatch's own that begin at once, on top of whoever starts them."""

from record import *


def begun(coroutine):
    loop = asyncio.get_running_loop()
    eager = {"eager_start": True} if sys.version_info >= (3, 12) else {}
    return asyncio.Task(coroutine, loop=loop, **eager)


async def go():
    async def app(scope, receive, send):
        async def sends(name, *messages):
            for message in messages:
                await send({"type": f"http.response.{message}", "status": 200, "more_body": True})
                log(name, "has sent", message)

        log("app begins")
        task = begun(sends("first", "start", "body"))
        log("app goes on")
        await task
        await receive()
        for _ in range(2):
            task = begun(sends("second", "body", "body"))
            log("app goes on")
            await task
        await send({"type": "http.response.body"})

    async def in_a_task(request, call_next):
        task = begun(call_next(request))
        log("dispatch goes on")
        response = await task

        async def read():
            return [piece async for piece in response.body_iterator]

        task = begun(read())
        log("dispatch goes on")
        log(await task)
        return response

    async def passes_on(request, call_next):
        return await call_next(request)

    for dispatch in (passes_on, in_a_task):
        log("--", dispatch.__name__)
        show(*await call(BaseHTTPMiddleware(app, dispatch=dispatch)))
        task = begun(call(BaseHTTPMiddleware(app, dispatch=dispatch)))
        log("main goes on")
        show(*await task)


main(go)
