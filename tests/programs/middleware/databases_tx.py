"""encode/databases: a connection for each task; the middleware's own transaction is rolled back on a 4xx."""

from record import *
from databases import Database
import tempfile, os

path = tempfile.mktemp(suffix=".db")
db = Database(f"sqlite+aiosqlite:///{path}")


class Tx(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        tx = await db.transaction()
        await db.execute("insert into log values ('begin')")
        response = await call_next(request)
        if response.status_code >= 400:
            await tx.rollback()
        else:
            await tx.commit()
        return response


async def endpoint(request):
    rows = await db.fetch_all("select * from log")
    return PlainTextResponse(repr([tuple(r) for r in rows]), 422)


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Tx)])


async def go():
    await db.connect()
    await db.execute("create table log (text)")
    show(*await call(app))
    print([tuple(r) for r in await db.fetch_all("select * from log")])
    await db.disconnect()
    os.unlink(path)


main(go)
