"""Cancel scopes around call_next, opened before the task below has waited for anything."""

import anyio

from record import *


class Timeout(BaseHTTPMiddleware):
    def __init__(self, app, name, seconds):
        super().__init__(app)
        self.name, self.seconds = name, seconds

    async def dispatch(self, request, call_next):
        try:
            with anyio.move_on_after(self.seconds) as scope:
                response = await call_next(request)
                log(f"{self.name} answered")
            log(f"{self.name} {scope.cancelled_caught} {anyio.current_effective_deadline()}")
            return PlainTextResponse("late", 503) if scope.cancelled_caught else response
        except BaseException as exc:
            log(f"{self.name} {type(exc).__name__}")
            raise


class InTaskGroup(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 60)
            response = await call_next(request)
            group.cancel_scope.cancel()
        log(f"group left {group.cancel_scope.cancel_called}")
        return response


class Forgets(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if "forget" in request.query_params:
            anyio.CancelScope().__enter__()
        return await call_next(request)


class Delegates(BaseHTTPMiddleware):
    """Runs another middleware in its own task, whose application is what is below this one."""

    async def dispatch(self, request, call_next):
        async def below(scope, receive, send):
            response = await call_next(Request(scope, receive))
            await response(scope, receive, send)

        return Within(Timeout(below, "within", 0.5), request)


class Within:
    background = None

    def __init__(self, app, request):
        self.app, self.request = app, request

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


async def quick(request):
    log(f"deadline {anyio.current_effective_deadline() == float('inf')}")
    return PlainTextResponse("quick")


async def waits(request):
    with anyio.CancelScope() as scope:
        try:
            await anyio.sleep(0)
            await anyio.sleep(0)
        finally:
            log(f"endpoint {scope.cancel_called}")
    return PlainTextResponse("waits")


async def slow(request):
    try:
        with anyio.CancelScope(shield="shield" in request.query_params):
            await anyio.sleep(0.2)
        await anyio.sleep(0.3)
    except asyncio.CancelledError:
        log("endpoint cancelled")
        raise
    return PlainTextResponse("slow")


routes = [Route("/quick", quick), Route("/waits", waits), Route("/slow", slow)]
STACKS = {
    "timeout": [Middleware(Timeout, name="outer", seconds=0.1)],
    "nested": [
        Middleware(Timeout, name="outer", seconds=0.4),
        Middleware(Timeout, name="inner", seconds=0.1),
    ],
    "group": [Middleware(InTaskGroup), Middleware(Timeout, name="inner", seconds=0.1)],
    "forgets": [Middleware(Forgets), Middleware(Timeout, name="inner", seconds=0.1)],
    "delegates": [Middleware(Delegates), Middleware(Timeout, name="inner", seconds=0.1)],
}


async def go():
    for name, stack in STACKS.items():
        app = Starlette(routes=routes, middleware=stack)
        for path in ("/quick", "/waits", "/slow"):
            for query in ("", "shield", "forget"):
                LOG.clear()
                out, error = await call(app, path=path, query_string=query.encode())
                status = next((m["status"] for m in out if "status" in m), None)
                print(name, path, query, status, exc(error), LOG)
                task = asyncio.current_task()
                print(task.cancelling(), len(asyncio.all_tasks()))


main(go)
