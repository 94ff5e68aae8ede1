"""The generated functions are a product: these are they, with real lines in tracebacks."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from textwrap import dedent

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from turbostar.di import Body, Container, Inject, Lazy


class Settings: ...


class Engine:
    def __init__(self, settings: Settings) -> None: ...


class Session:
    def __init__(self, engine: Engine) -> None: ...


class Repo:
    def __init__(self, session: Session, settings: Settings) -> None: ...


async def open_session(engine: Engine) -> AsyncIterator[Session]:
    yield Session(engine)


def container(*, has_teardown: bool = False) -> Container:
    di = Container()
    di.value(Settings())
    di.add(Engine, scope="app")
    if has_teardown:
        di.add(open_session)
    else:
        di.add(Session)
    di.add(Repo)
    return di


async def show(request: Request, item_id: int, repo: Inject[Repo]) -> Response:
    return JSONResponse(item_id)


def source_of(di: Container, function: object = show, *, started: bool = True) -> str:
    app = Starlette(routes=[Route("/{item_id:int}", function)])  # type: ignore[arg-type]
    di.install(app)
    if started:
        asyncio.run(di.start())
    return di.handlers[0].source


def test_a_handler() -> None:
    """Singletons are constants, the rest is made on the way, and there is no scope object."""
    assert source_of(container()) == dedent("""\
        async def call_show(request):
            path = request.scope["path_params"]
            session = Session(ENGINE)
            repo = Repo(session, settings)
            return await show(request, path['item_id'], repo)
        """)


def test_a_handler_before_the_start() -> None:
    """What is not built yet is built by the first who asks."""
    assert source_of(container(), started=False) == dedent("""\
        async def call_show(request):
            path = request.scope["path_params"]
            engine = ENGINE if ENGINE is not UNBUILT else await build_engine.build()
            session = Session(engine)
            repo = Repo(session, settings)
            return await show(request, path['item_id'], repo)
        """)


def test_a_handler_with_teardown() -> None:
    """One try for all finalizers, which wait for the response."""
    assert source_of(container(has_teardown=True)) == dedent("""\
        async def call_show(request):
            opened = []
            try:
                path = request.scope["path_params"]
                open_session_2_generator = open_session(ENGINE)
                try:
                    open_session_2 = await first(open_session_2_generator)
                except StopAsyncIteration:
                    raise never_yielded(open_session) from None
                opened.append(open_session_2_generator)
                repo = Repo(open_session_2, settings)
                result = await show(request, path['item_id'], repo)
            except BaseException as exc:
                await unwind(opened, exc)
                raise
            return AfterResponse(result, opened)
        """)


async def late(repo: Lazy[Repo]) -> Response:
    await repo.get()
    return Response()


def test_a_handler_that_needs_a_scope() -> None:
    """What is made later has to be held somewhere."""
    assert source_of(container(), late) == dedent("""\
        async def call_late(request):
            context = {key_request: request, key_httpconnection: request, key_state: request.state}
            scope = open_scope(context)
            try:
                result = await late(Lazy(get_repo, scope))
            except BaseException as exc:
                await unwind(ended(scope), exc)
                raise
            return AfterResponse(result, scope)
        """)


def test_a_scope_is_asked_through_one_function_each() -> None:
    """It looks among what the scope holds, and makes what is missing."""
    di = container()
    di.get_sync(Engine)
    with di.scope() as scope:
        scope.get_sync(Repo)
    assert di.wiring.sync_resolvers[1][Repo].__turbostar_source__ == dedent("""\
        def take_repo(scope):
            values = scope.values
            if 'repo_slot' in values:
                return values['repo_slot']
            session = values['session_slot'] if 'session_slot' in values else take_session(scope)
            repo = Repo(session, settings)
            values['repo_slot'] = repo
            return repo
        """)


def test_tracebacks_show_the_lines() -> None:
    """A failure in a provider shows the generated line that called it."""
    di = Container()

    @di.provide
    def session() -> Session:
        raise OSError("no connection")

    async def handle(session: Inject[Session]) -> None: ...

    with pytest.raises(OSError, match="no connection") as caught:
        asyncio.run(di.call(handle))
    frames = traceback.extract_tb(caught.value.__traceback__)
    lines = [frame.line for frame in frames if frame.filename.startswith("<turbostar.di call_")]
    assert lines[-1] == "session_2 = session()"


def test_names_cannot_become_code() -> None:
    """Names of users reach the source only as literals or as identifiers."""
    di = Container()
    evil = "'] + __import__('os').abort() #"
    di.value("fine", name=evil)

    async def handle(found: Inject[dict[str, str]]) -> dict[str, str]:
        return found

    handle.__qualname__ = "x(\n): pass\nimport os"
    assert asyncio.run(di.call(handle)) == {evil: "fine"}


class Path: ...


class AfterResponse: ...


class ItemBody: ...


def test_names_do_not_clash() -> None:
    """Whatever classes and functions are called, nobody gets another's value."""
    di = Container()

    @di.provide
    def request() -> Settings:
        return Settings()

    @di.provide
    async def opened() -> AsyncIterator[Engine]:
        yield Engine(Settings())

    @di.provide(scope="app")
    def scope(path: Path) -> Session:
        return Session(Engine(Settings()))

    for each in (AfterResponse, ItemBody):
        di.add(each)
    di.add(Path, scope="transient")

    async def call_handle(
        request: Request,
        item_id: int,
        path: Inject[Path],
        other: Inject[Path],
        item: Body[int],
        item_body: Inject[ItemBody],
        settings: Inject[Settings],
        engine: Inject[Engine],
        session: Inject[Session],
        after: Inject[AfterResponse],
    ) -> Response:
        found = [request, path, other, item_body, settings, engine, session, after]
        return JSONResponse([item_id, item, *(type(each).__name__ for each in found)])

    app = Starlette(routes=[Route("/{item_id:int}", call_handle, methods=["POST"])])
    di.install(app)
    names = ["Request", "Path", "Path", "ItemBody", "Settings", "Engine", "Session"]
    expected = [3, 7, *names, "AfterResponse"]
    client = TestClient(app)
    assert client.post("/3", json=7).json() == expected
    di.close_sync()
    with client:
        assert client.post("/3", json=7).json() == expected
