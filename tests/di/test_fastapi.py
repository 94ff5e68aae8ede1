"""FastAPI: ``Depends(di(Repo))``, beside FastAPI's own dependencies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, WebSocket
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

import turbostar
from turbostar.di import Container, Inject, Named, WiringErrors


class Session: ...


class Repo:
    def __init__(self, session: Session, conn: HTTPConnection) -> None:
        self.session, self.path = session, conn.url.path


class Pool: ...


class Wanted:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


LOG: list[str] = []
di = Container()


@di.provide
async def session() -> AsyncIterator[Session]:
    LOG.append("open")
    try:
        yield Session()
    except BaseException as exc:
        LOG.append(f"saw {type(exc).__name__}")
        raise
    finally:
        LOG.append("close")


di.add(Repo)
di.value("main", provides=str, name="title")


async def user(repo: Annotated[Repo, Depends(di(Repo))]) -> str:
    return f"user of {repo.path}"


def build() -> FastAPI:
    app = FastAPI(lifespan=di.lifespan)

    @app.get("/items/{item_id}")
    async def show(
        item_id: int,
        repo: Annotated[Repo, Depends(di(Repo))],
        session: Annotated[Session, Depends(di(Session))],
        title: Annotated[str, Depends(di(str, "title"))],
        user: Annotated[str, Depends(user)],
    ) -> list[Any]:
        return [item_id, repo.session is session, title, user]

    @app.get("/fail")
    async def fail(repo: Annotated[Repo, Depends(di(Repo))]) -> None:
        raise HTTPException(418)

    @app.websocket("/ws")
    async def chat(websocket: WebSocket, repo: Annotated[Repo, Depends(di(Repo))]) -> None:
        await websocket.accept()
        await websocket.send_text(repo.path)
        await websocket.close()

    return app


@pytest.fixture(params=["stock", "installed"])
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    LOG.clear()
    if request.param == "installed":
        turbostar.install()
    try:
        app = build()
        di.install(app)
        with TestClient(app) as client:
            yield client
    finally:
        turbostar.uninstall()


def test_ours_beside_theirs(client: TestClient) -> None:
    """All of one request share one scope, which is closed with the request."""
    assert client.get("/items/3").json() == [3, True, "main", "user of /items/3"]
    assert LOG == ["open", "close"]


def test_finalizers_see_exceptions(client: TestClient) -> None:
    """As those of FastAPI's own dependencies do."""
    assert client.get("/fail").status_code == 418
    assert LOG == ["open", "saw HTTPException", "close"]


def test_websockets(client: TestClient) -> None:
    """They have a scope as well."""
    with client.websocket_connect("/ws") as websocket:
        assert websocket.receive_text() == "/ws"


def test_the_schema_knows_nothing_of_it(client: TestClient) -> None:
    """Parameters that are injected are none of the client's business."""
    schema = client.get("/openapi.json").json()
    parameters = schema["paths"]["/items/{item_id}"]["get"]["parameters"]
    assert [each["name"] for each in parameters] == ["item_id"]
    assert "parameters" not in schema["paths"]["/fail"]["get"]


def test_injected_handlers() -> None:
    """FastAPI sees what is left of their parameters, and fills these."""
    app = FastAPI(lifespan=di.lifespan)

    @app.get("/items/{item_id}")
    @di.inject
    async def show(
        session: Inject[Session], item_id: int, user: Annotated[str, Depends(user)], more: int = 1
    ) -> list[Any]:
        return [type(session).__name__, item_id, user, more]

    with TestClient(app) as client:
        answer = client.get("/items/3?more=2").json()
        assert answer == ["Session", 3, "user of /items/3", 2]
        assert client.get("/items/three").json()["detail"][0]["loc"] == ["path", "item_id"]
        item = app.openapi()["paths"]["/items/{item_id}"]["get"]
        assert [each["name"] for each in item["parameters"]] == ["item_id", "more"]
        assert item["operationId"].startswith("show_")


def test_both_ways_to_override(client: TestClient) -> None:
    """The container's own, and FastAPI's by what `di(Repo)` returns."""

    class Fake:
        path, session = "fake", None

    with di.override({Session: Session()}):
        assert client.get("/items/1").json()[1] is True
        assert LOG == []
    app: Any = client.app
    app.dependency_overrides[di(Repo)] = Fake
    assert client.get("/items/1").json()[3] == "user of fake"


def test_the_same_callable_each_time() -> None:
    """So that FastAPI knows it again."""
    di = Container()
    assert di(Repo) is di(Repo)
    assert di(str, "title") is not di(str)


def test_what_is_depended_on_is_checked_and_built_at_startup() -> None:
    """As for handlers: faults are told, and singletons are there before the first request."""
    di = Container()

    asked = Depends(di(Wanted))
    di.add(Wanted)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    told = str(caught.value.exceptions[0])
    assert "Depends(di(Wanted))" in told
    assert "nothing provides Pool" in told
    built: list[Pool] = []

    @di.provide(scope="app")
    async def pool() -> Pool:
        built.append(Pool())
        return built[0]

    app = FastAPI(lifespan=di.lifespan)

    @app.get("/")
    async def show(wanted: Any = asked) -> bool:
        return wanted.pool is built[0]

    with TestClient(app) as client:
        assert len(built) == 1
        assert client.get("/").json() is True


def test_all_forms_can_be_depended_on() -> None:
    """Several of a type, what may be missing, and a name."""
    di = Container()
    di.value("a", name="one")
    di.value("b", name="two")
    app = FastAPI(lifespan=di.lifespan)

    wanted = [list[str], dict[str, str], Annotated[str, Named("two")], Pool | None]
    every, named, two, none = [Depends(di(each)) for each in wanted]

    @app.get("/")
    async def show(every: Any = every, named: Any = named, two: Any = two, none: Any = none) -> Any:
        return [every, named, two, none]

    with TestClient(app) as client:
        assert client.get("/").json() == [["a", "b"], {"one": "a", "two": "b"}, "b", None]


def test_a_scope_that_middleware_opened_is_shared() -> None:
    """What FastAPI asks for is what middleware has got, and sees the exception of the route."""
    LOG.clear()
    app = FastAPI()
    found: list[Any] = []

    @app.middleware("http")
    async def note(request: Any, call_next: Any, session: Inject[Session]) -> Any:
        found.append(session)
        return await call_next(request)

    @app.get("/")
    async def show(session: Annotated[Session, Depends(di(Session))]) -> None:
        found.append(session)
        raise HTTPException(418)

    di.install(app)
    assert TestClient(app).get("/").status_code == 418
    assert found[0] is found[1]
    assert LOG == ["open", "saw HTTPException", "close"]
