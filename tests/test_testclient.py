"""Starlette's TestClient runs on httpx2 and on httpx, whichever it finds when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CLIENTS = ("httpx2", "httpx")

PROGRAM = """
import json
import sys
import warnings

package, client, install = sys.argv[1:]
if client == "httpx":
    sys.modules["httpx2"] = None  # as where it is not installed
    warnings.filterwarnings("ignore", "Using `httpx`")
if install:
    import turbostar

    turbostar.install()

import importlib


def name(module, attribute):
    return getattr(importlib.import_module(f"{package}.{module}"), attribute)


JSONResponse = name("responses", "JSONResponse")
TestClient = name("testclient", "TestClient")


async def echo(request):
    form = {key: str(value) for key, value in (await request.form()).items()}
    query, cookies = dict(request.query_params), sorted(request.cookies)
    return JSONResponse({"form": form, "query": query, "cookies": cookies})


async def login(request):
    response = name("responses", "RedirectResponse")("/echo?page=1", status_code=303)
    response.set_cookie("session", "abc", httponly=True)
    request.session["user"] = "ada"
    return response


async def stream(request):
    async def chunks():
        for number in range(3):
            yield f"chunk {number}\\n"

    return name("responses", "StreamingResponse")(chunks(), media_type="text/plain")


async def broken(request):
    raise name("exceptions", "HTTPException")(418, "No coffee")


async def talk(websocket):
    await websocket.accept()
    await websocket.send_json({"got": await websocket.receive_text()})
    await websocket.close()


class Stamp(name("middleware.base", "BaseHTTPMiddleware")):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-stamp"] = "yes"
        return response


Route, Middleware = name("routing", "Route"), name("middleware", "Middleware")
app = name("applications", "Starlette")(
    routes=[
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/login", login),
        Route("/stream", stream),
        Route("/broken", broken),
        name("routing", "WebSocketRoute")("/talk", talk),
    ],
    middleware=[
        Middleware(Stamp),
        Middleware(name("middleware.sessions", "SessionMiddleware"), secret_key="of this test"),
        Middleware(name("middleware.gzip", "GZipMiddleware"), minimum_size=10),
    ],
)


def told(response):
    headers = [pair for pair in response.headers.multi_items() if pair[0] != "set-cookie"]
    return [response.status_code, headers, response.text]


with TestClient(app) as http:
    answers = [
        told(http.get("/login")),
        told(http.post("/echo?a=1", data={"name": "Ada"}, files={"file": ("a.txt", b"abc")})),
        told(http.post("/echo", data={"name": "Ada"})),
        told(http.get("/stream")),
        told(http.get("/broken")),
        told(http.get("/missing")),
        told(http.head("/echo")),
    ]
    with http.websocket_connect("/talk") as session:
        session.send_text("hello")
        answers.append(session.receive_json())
    used = next(cls.__module__ for cls in type(http).__mro__[1:])
print(json.dumps({"used": used.partition(".")[0], "answers": answers}))
"""


def answers_of(package: str, client: str, install: str = "") -> list[Any]:
    """What the client gets from the application, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, package, client, install],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["used"] == client
    answers: list[Any] = found["answers"]
    return answers


@pytest.mark.parametrize("client", CLIENTS)
def test_the_test_client_gets_stocks_answers(client: str) -> None:
    """Cookies, redirects, forms, files, streams, errors and websockets, swapped and installed."""
    stock = answers_of("starlette", client)
    assert [answer[0] for answer in stock[:7]] == [200, 200, 200, 200, 418, 404, 200]
    assert stock[7] == {"got": "hello"}
    assert answers_of("turbostar", client) == stock
    assert answers_of("starlette", client, "install") == stock


@pytest.mark.parametrize("client", CLIENTS)
def test_the_shop_is_tested_with_each_client(client: str) -> None:
    """The tests of the bundled application pass with it, in a process of their own.

    A fixture of theirs sees to it that they do run on that client.
    """
    command = [sys.executable, "-m", "pytest", "tests/examples", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-n", "0"],
        cwd=ROOT,
        env={**os.environ, "TURBOSTAR_TEST_CLIENT": client},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
