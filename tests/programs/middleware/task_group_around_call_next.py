"""Task groups of asyncio's and anyio's around call_next, above who is cancelled, with each factory."""

import anyio

from record import *


class Plain(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        try:
            return await self.go_on(request, call_next)
        except BaseException as e:
            name = type(e).__name__ if "scope" in str(e) else exc(e)
            log(type(self).__name__, name, asyncio.current_task().cancelling())
            raise

    async def go_on(self, request, call_next):
        return await call_next(request)


class InATask(Plain):
    async def go_on(self, request, call_next):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(call_next(request))
        return task.result()


class Inside(Plain):
    async def go_on(self, request, call_next):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.03))
            return await call_next(request)


class InsideAnyio(Plain):
    async def go_on(self, request, call_next):
        async with anyio.create_task_group() as group:
            group.start_soon(asyncio.sleep, 0.03)
            return await call_next(request)


class Gathered(Plain):
    async def go_on(self, request, call_next):
        response, _ = await asyncio.gather(call_next(request), asyncio.sleep(0.03))
        return response


async def cancels_itself(request):
    asyncio.current_task().cancel("by itself")
    return PlainTextResponse("answered")


async def cancels_itself_and_waits(request):
    asyncio.current_task().cancel("by itself")
    await asyncio.sleep(0.03)


async def raises(request):
    raise asyncio.CancelledError("raised")


async def raises_later(request):
    for _ in range(20):
        await asyncio.sleep(0)
    raise asyncio.CancelledError("raised")


async def answers(request):
    return PlainTextResponse("answered")


async def streams(request):
    async def content():
        for number in range(3):
            yield str(number)
            await asyncio.sleep(0)

    return StreamingResponse(content())


ENDPOINTS = (cancels_itself, cancels_itself_and_waits, raises, raises_later, answers, streams)


async def go():
    routes = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in ENDPOINTS]
    for factory in (None, getattr(asyncio, "eager_task_factory", None)):
        asyncio.get_running_loop().set_task_factory(factory)
        for middleware in (Plain, InATask, Inside, InsideAnyio, Gathered):
            for depth in (1, 2):
                app = Starlette(routes=routes, middleware=[Middleware(middleware)] * depth)
                for route in routes:
                    for spec in ("2.3", "2.4"):
                        log(route.path, depth, spec)
                        task = asyncio.create_task(call(app, path=route.path, spec=spec))
                        sent, raised = await task
                        log(sent, exc(raised))


main(go)
