"""SQLAlchemy's async_scoped_session(scopefunc=current_task): the audit row of the middleware is committed,
what the endpoint has added without a commit is not."""

from record import *
from asyncio import current_task
from sqlalchemy import Column, Integer, String, select
from sqlalchemy.ext.asyncio import create_async_engine, async_sessionmaker, async_scoped_session
from sqlalchemy.orm import declarative_base
import os, tempfile

Base = declarative_base()


class Row(Base):
    __tablename__ = "row"
    id = Column(Integer, primary_key=True)
    text = Column(String)


path = tempfile.mktemp(suffix=".db")
engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
Session = async_scoped_session(
    async_sessionmaker(engine, expire_on_commit=False), scopefunc=current_task
)


class Audit(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        Session.add(Row(text="audit"))
        await Session.commit()
        await Session.remove()
        return response


async def endpoint(request):
    # validated, found wanting: not committed on purpose
    Session.add(Row(text="rejected order"))
    return PlainTextResponse("rejected", 422)


app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Audit)])


async def go():
    async with engine.begin() as c:
        await c.run_sync(Base.metadata.create_all)
    show(*await call(app))
    async with async_sessionmaker(engine)() as s:
        print("in the database:", sorted((await s.execute(select(Row.text))).scalars()))
    await engine.dispose()
    os.unlink(path)


main(go)
