from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from starlette.convertors import CONVERTOR_TYPES
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import BaseRoute, Host, Match, Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from examples.shop import app
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.request_file import read_requests

REQUESTS_FILE = Path(__file__).parents[2] / "examples" / "shop" / "requests.jsonl"
REQUESTS = read_requests(REQUESTS_FILE)
ADA = {"authorization": "Bearer token-ada"}
FIELDS = {
    "name",
    "method",
    "path",
    "headers",
    "body",
    "body_base64",
    "json",
    "form",
    "repeat",
    "chunks",
    "websocket",
    "subprotocols",
    "disconnect",
    "jar",
    "mix",
    "bench",
}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def leaves(routes: list[BaseRoute], depth: int = 0) -> Iterator[tuple[BaseRoute, int]]:
    """All routes that are no groups of others, with the number of groups around them."""
    for route in routes:
        children = getattr(route, "routes", None)
        if children:
            yield from leaves(children, depth + 1)
        else:
            yield route, depth


def reached(request: RecordedRequest, routes: list[BaseRoute]) -> BaseRoute | None:
    """The leaf that a recorded request arrives at."""
    path = request.path.partition("?")[0]
    scope: dict[str, Any] = {
        "type": "http" if request.websocket is None else "websocket",
        "method": request.method,
        "path": urllib.parse.unquote(path),
        "headers": [
            (name.lower(), value) for name, value in request.wire_headers(host="testserver")
        ],
    }
    while True:
        for route in routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                break
        else:
            return None
        routes = getattr(route, "routes", [])
        if not routes:
            return route
        scope.update(child_scope)


def replay(client: TestClient, request: RecordedRequest, jars: dict[str, Any]) -> Any:
    """Send a recorded HTTP request with the cookies of its jar, and keep those it gets."""
    jar = jars.setdefault(request.jar, {}) if request.jar else {}
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
    headers = request.wire_headers(host="testserver", cookie=cookie)
    client.cookies.clear()
    url = f"http://testserver{request.path}"
    response = client.request(request.method, url, headers=headers, content=request.body or None)
    for line in response.headers.get_list("set-cookie"):
        jar.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
    return response


def test_starts_with_state_and_stops() -> None:
    """The lifespan opens the shop, hands its data to the handlers, and closes the shop."""
    with TestClient(app) as client:
        assert app.state.opened
        assert set(client.app_state) >= {"catalogue", "orders", "outbox", "sales"}
        assert client.get("/healthz").text == "ok"
    assert not app.state.opened


def test_size_and_kinds_of_routes() -> None:
    """Some 40 to 60 routes: functions, endpoint classes, ASGI apps, WebSockets, hosts, mounts."""
    found = {id(route): route for route, _ in leaves(app.routes)}.values()
    assert 40 <= len(found) <= 60
    assert sum(isinstance(route, WebSocketRoute) for route in found) >= 3
    assert sum(isinstance(getattr(route, "endpoint", None), type) for route in found) >= 6
    assert any(isinstance(route, Route) and route.methods is None for route in found)
    assert sum(isinstance(route, Host) for route in app.routes) == 2
    assert sum(isinstance(route, Mount) for route in found) == 2  # the folders of static files
    assert max(depth for _, depth in leaves(app.routes)) >= 4


def test_all_convertors_are_used() -> None:
    """Every convertor of Starlette and one of the shop's own stand in some path."""
    used = {
        type(convertor)
        for route, _ in leaves(app.routes)
        if isinstance(route, Route)
        for convertor in route.param_convertors.values()
    }
    assert used == {
        type(CONVERTOR_TYPES[key]) for key in ("str", "int", "float", "path", "uuid", "sku")
    }


def test_middleware() -> None:
    """The stack holds Starlette's middleware, one BaseHTTPMiddleware and one of pure ASGI."""
    classes: list[Any] = [middleware.cls for middleware in app.user_middleware]
    assert sum(issubclass(cls, BaseHTTPMiddleware) for cls in classes) == 1
    assert {cls.__name__ for cls in classes} >= {
        "AuthenticationMiddleware",
        "CORSMiddleware",
        "GZipMiddleware",
        "SecurityHeadersMiddleware",
        "SessionMiddleware",
        "TrustedHostMiddleware",
    }


def test_json_sizes(client: TestClient) -> None:
    """There is a small, a 5 KiB and a 100 KiB JSON answer."""
    assert client.get("/api/v1/ping").content == b'{"hello":"world"}'
    assert 4000 < len(client.get("/api/v1/products/").content) < 6000
    assert 90_000 < len(client.get("/api/v1/reports/sales", headers=ADA).content) < 110_000


def test_session_from_cart_to_order(client: TestClient) -> None:
    """A visitor fills a cart, logs in, orders, and loses all of it at logout."""
    assert client.post("/cart/items", data={"product_id": "12", "count": "2"}).status_code == 303
    assert "Cart (2)" in client.get("/cart/").text
    sent_to_login = client.post("/cart/checkout").headers["location"]
    assert sent_to_login.startswith("http://testserver/account/login?next=")
    client.post("/account/login", data={"username": "alan", "password": "enigma"})
    order_url = client.post("/cart/checkout").headers["location"]
    assert "Little Darjeeling" in client.get(order_url).text
    client.post("/account/logout")
    assert client.get(order_url).status_code == 303


def test_background_tasks_write_mail(client: TestClient) -> None:
    """An order's background task puts one mail into the outbox, however often it is sent."""
    body = {"lines": [{"product_id": 9}]}
    answers = [client.post("/api/v1/orders", json=body, headers=ADA).json() for _ in range(3)]
    mail = client.get("/admin/outbox", headers=ADA).json()["mail"]
    assert answers[0] == answers[1] == answers[2]
    assert [letter["subject"] for letter in mail] == [f"Order {answers[0]['id']}"]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/nothing", 404, "not_found"),
        ("/product/TEA-9999", 404, "not_found"),
        ("/api/v1/reports/conversion", 500, "internal"),
    ],
)
def test_exception_handlers(client: TestClient, path: str, status: int, error: str) -> None:
    """Handlers by status, by class and for the unforeseen answer in the shop's own JSON."""
    response = client.get(path, headers=ADA)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_streams_files_and_templates(client: TestClient) -> None:
    """Streams, file answers and pages arrive whole and with their media types."""
    stream = client.get("/api/v1/reports/sales.csv", headers=ADA)
    assert stream.text.count("\n") == 721
    assert "content-length" not in stream.headers
    download = client.get("/media/prices.txt", headers={"range": "bytes=0-12"})
    assert (download.status_code, download.content) == (206, b"Prices in EUR")
    page = client.get("/")
    assert 'href="http://testserver/product/TEA-0001"' in page.text


def test_hosts(client: TestClient) -> None:
    """The API has a host of its own, and a partner's name is read from the host."""
    assert client.get("/v1/ping", headers={"host": "api.shop.example"}).status_code == 200
    partner = client.get("/", headers={"host": "teahouse.partners.shop.example"})
    assert partner.text == "Hello, teahouse!"


def test_websockets(client: TestClient) -> None:
    """The echo, the chat and the stock talk; the stock ends the talk at an unknown product."""
    with client.websocket_connect("/live/echo") as echo:
        echo.send_bytes(b"\x00\xff")
        assert echo.receive_bytes() == b"\x00\xff"
    with client.websocket_connect("/live/chat/help", headers=dict(ADA)) as chat:
        assert chat.receive_json() == {"welcome": "Ada Lovelace"}
        chat.send_json({"text": "hi"})
        assert chat.receive_json() == {"room": "help", "number": 1, "data": {"text": "hi"}}
    with client.websocket_connect("/live/stock", subprotocols=["shop.stock.v1"]) as stock:
        assert stock.accepted_subprotocol == "shop.stock.v1"
        stock.send_json(9999)
        with pytest.raises(WebSocketDisconnect) as closed:
            stock.receive_json()
    assert closed.value.code == 1008
    assert client.app_state["chat_members"] == {}


def test_request_file_has_only_known_fields() -> None:
    """The request file holds enough requests, each with a name of its own and known fields."""
    lines = [json.loads(line) for line in REQUESTS_FILE.read_text("utf-8").splitlines()]
    assert len(lines) == len(REQUESTS) >= 140
    assert set().union(*lines) <= FIELDS
    assert len({line["name"] for line in lines}) == len(lines)


def test_request_file_covers_every_route() -> None:
    """Each leaf of the routing table is reached by at least one recorded request."""
    plain = [request for request in REQUESTS if not request.name.endswith(" raises")]
    hit = {id(reached(request, app.routes)) for request in plain}
    assert [route for route, _ in leaves(app.routes) if id(route) not in hit] == []


def test_replay_fails_only_where_marked(client: TestClient) -> None:
    """Recorded requests end in a server error exactly where their names say "raises"."""
    jars: dict[str, Any] = {}
    failing = {
        request.name
        for request in REQUESTS
        if request.websocket is None and replay(client, request, jars).status_code >= 500
    }
    marked = [request for request in REQUESTS if request.name.endswith(" raises")]
    assert failing == {request.name for request in marked if request.websocket is None}
    assert not any(request.bench for request in marked if request.websocket is None)


def test_answers_for_the_benchmark_are_stable(client: TestClient) -> None:
    """Requests used for load answer the same before and after all others, headers included."""
    load = [
        request
        for request in REQUESTS
        if request.bench and request.websocket is None and not request.disconnect
    ]
    rounds = []
    for requests in (load, REQUESTS, load):
        answers = {}
        for request in requests:
            if request.websocket is None:
                response = replay(client, request, {})
                headers = response.headers.multi_items()
                answers[request.name] = (response.status_code, headers, response.content)
        rounds.append(answers)
    mixes = {"errors", "forms", "json", "large", "pages", "routing", "session", "static"}
    assert {request.mix for request in load} == mixes
    first, _, last = rounds
    assert [name for name in first if first[name] != last[name]] == []


def test_recorded_websockets_shake_hands(client: TestClient) -> None:
    """Recorded WebSockets are accepted or refused as their paths and users deserve."""
    accepted = set()
    for request in REQUESTS:
        if request.websocket is None:
            continue
        client.cookies.clear()
        try:
            with client.websocket_connect(
                request.path, list(request.subprotocols) or None, headers=dict(request.headers)
            ):
                accepted.add(request.path)
        except WebSocketDisconnect:
            pass
    assert accepted == {
        "/live/chat/help",
        "/live/chat/tea-talk",
        "/live/echo",
        "/live/operations",
        "/live/stock",
    }
