"""current_task under another name; anyio.get_current_task; all_tasks."""

from record import *
from asyncio import current_task as whoami
import anyio


class M(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        request.state.mine = whoami()
        request.state.id = anyio.get_current_task().id
        return await call_next(request)


async def endpoint(request):
    return JSONResponse(
        [
            whoami() is request.state.mine,
            anyio.get_current_task().id == request.state.id,
            len(asyncio.all_tasks()),
        ]
    )


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(M)])


async def go():
    show(*await call(app))


main(go)
