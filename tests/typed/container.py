"""Injection as people write it: type checkers see the types that are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, assert_type

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turbostar.di import Body, Container, Inject, Lazy, Named, Query


class Settings: ...


class Engine: ...


class Repo:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


di = Container()


@di.provide(scope="app")
async def engine(settings: Settings) -> AsyncIterator[Engine]:
    yield Engine()


@di.provide
def settings() -> Settings:
    return Settings()


di.add(Repo)


async def show(
    request: Request,
    item_id: int,
    repo: Inject[Repo],
    other: Annotated[Repo, Named("other")],
    late: Lazy[Repo],
    body: Body[dict[str, int]],
    page: Query[int],
) -> Response:
    assert_type(repo, Repo)
    assert_type(other, Repo)
    assert_type(await late.get(), Repo)
    assert_type(body, dict[str, int])
    assert_type(page, int)
    return JSONResponse(item_id)


async def mail(address: str, repo: Inject[Repo]) -> bool:
    return True


async def main() -> None:
    async with di.scope() as scope:
        assert_type(await scope.get(Repo), Repo)
        assert_type(await scope.get(Repo, "other"), Repo)
    with di.scope({int: 3}) as sync:
        assert_type(sync.get_sync(Repo), Repo)
    assert_type(await di.get(Engine), Engine)
    assert_type(di.get_sync(Engine), Engine)
    assert_type(await di.call(mail, "ada"), bool)
    assert_type(settings(), Settings)
    with di.override({Repo: Repo(Engine())}):
        pass


app = Starlette(routes=[Route("/{item_id:int}", show)], lifespan=di.lifespan)
di.install(app)

# What is wrong is found.
wrong: Engine = di.get_sync(Repo)
di.scope(name=3)
