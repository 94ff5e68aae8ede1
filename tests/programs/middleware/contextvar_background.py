"""The usual request-id / tenant middleware (set, try, finally reset): does the endpoint's BackgroundTask see the variable?"""

from record import *
from contextvars import ContextVar

tenant = ContextVar("tenant", default="<none>")


class Tenant(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        token = tenant.set(request.headers.get("x-tenant", "?"))
        try:
            return await call_next(request)
        finally:
            tenant.reset(token)


async def send_mail():
    log("mail for tenant", tenant.get())


def write_row():
    log("row for tenant", tenant.get())


async def endpoint(request):
    tasks = BackgroundTasks()
    tasks.add_task(send_mail)
    tasks.add_task(write_row)
    return JSONResponse({"tenant": tenant.get()}, background=tasks)


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Tenant)])


async def go():
    show(*await call(app, headers=[(b"x-tenant", b"acme")]))


main(go)
