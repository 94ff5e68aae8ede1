"""`turbostar verify`: finds every difference, and takes nothing for one that is none."""

from __future__ import annotations

import ast
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import zlib
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.convertors import Convertor
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

from turbostar.cli.recorded import Close, RecordedRequest, SendBytes, SendText
from turbostar.cli.request_file import read_requests
from turbostar.cli.verify import Check, VerifyResult, WorkerError, verify
from turbostar.cli.verify.answers import Answer
from turbostar.cli.verify.compare import compare
from turbostar.cli.verify.cookies import CookieJar
from turbostar.cli.verify.derive import derive_requests

# It answers differently where turbostar is not switched off, which stands for a defect of ours.
_DIFFERENT = """
import os
import time

FAST = "TURBOSTAR_DISABLE" not in os.environ

async def lifespan(receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if FAST:
        await send({"type": "lifespan.shutdown.failed", "message": "Traceback:\\nOSError: late"})
    else:
        await send({"type": "lifespan.shutdown.complete"})

async def websocket(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "fast" if FAST else "stock"})
    await receive()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        return await websocket(receive, send)
    path, status, headers, body = scope["path"], 200, [(b"a", b"1"), (b"b", b"2")], [b"body"]
    if path == "/status" and FAST:
        status = 201
    elif path == "/header-order" and FAST:
        headers.reverse()
    elif path == "/header-value":
        headers.append((b"x-kind", b"fast" if FAST else b"stock"))
    elif path == "/header-missing" and FAST:
        headers.pop()
    elif path == "/text":
        body = [b"one\\ntwo\\n" + (b"drei" if FAST else b"three")]
    elif path == "/json":
        body = [b'{"id": "%d", "n": %d}' % (time.perf_counter_ns(), FAST)]
    elif path == "/json-type":
        body = [b'{"n": 1.0}' if FAST else b'{"n": 1}']
    elif path == "/binary":
        body = [bytes(range(200)) + (b"\\xfe" if FAST else b"\\xff") + bytes(50)]
    elif path == "/split" and FAST:
        body = [b"bo", b"dy"]
    elif path == "/raised":
        raise ValueError("fast" if FAST else "stock")
    elif path == "/raised-type":
        raise (KeyError if FAST else ValueError)(time.perf_counter_ns())
    elif path == "/raised-on-one" and FAST:
        raise ValueError("only here")
    elif path == "/hang-on-one" and FAST:
        await receive()
        await receive()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for piece in body[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if path != "/broken-off" or not FAST:
        await send({"type": "http.response.body", "body": body[-1]})
"""

_SAME = """
import asyncio
import contextlib
import hashlib
import itertools
import random
import time
from datetime import datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

async def same(request):
    return PlainTextResponse("same")

async def volatile(request):
    body = {"took": time.perf_counter_ns(), "at": str(datetime.now()), "n": 1}
    return JSONResponse(body, headers={"x-took": str(time.perf_counter_ns())})

async def steady(request):
    seen = [random.random(), hash("text"), time.time() - STARTED, time.time_ns() // 10**9]
    return JSONResponse(seen[:3] + [seen[3] == int(time.time())])

async def login(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JSONResponse(request.session)

async def logout(request):
    request.session.clear()
    return Response()

async def scope(request):
    scope = dict(request.scope)
    known = [
        "type", "asgi", "http_version", "server", "client", "scheme", "root_path", "headers",
        "state", "method", "path", "raw_path", "query_string",
    ]
    return PlainTextResponse(repr({key: scope[key] for key in known}))

async def body(request):
    pieces = [piece async for piece in request.stream()]
    return JSONResponse([len(piece) for piece in pieces])

async def gone(request):
    try:
        async for _ in request.stream():
            pass
        message = await request.receive()
    finally:
        SEEN.append(message["type"])
    return Response()

async def seen(request):
    return JSONResponse(SEEN)

async def hang(request):
    await asyncio.sleep(1000)

async def endless(send_scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in itertools.count():
        await send({"type": "http.response.body", "body": b"%d " % number, "more_body": True})
        await asyncio.sleep(0.001)

class Endless:
    def __call__(self, scope, receive, send):
        return endless(scope, receive, send)

async def raised(request):
    raise ValueError(f"at {time.perf_counter_ns()}")

async def ends_itself(request):
    raise SystemExit(3)

async def chat(websocket):
    await websocket.accept(subprotocol=websocket.scope["subprotocols"][0])
    async for message in websocket.iter_bytes():
        await websocket.send_bytes(message * 2)

async def talk(websocket):
    await websocket.accept()
    await websocket.send_json(websocket.headers.get("sec-websocket-version"))
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        await websocket.send_text(str(message.get("text", message.get("bytes"))))
    SEEN.append(message["code"])

async def refuse(websocket):
    await websocket.send_denial_response(PlainTextResponse("no", status_code=401))

@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"pool": "open"}

STARTED = time.time()
SEEN = []
routes = [
    Route("/same", same), Route("/volatile", volatile), Route("/steady", steady),
    Route("/login", login), Route("/logout", logout), Route("/scope", scope),
    Route("/body", body, methods=["POST"]), Route("/gone", gone, methods=["POST"]),
    Route("/seen", seen), Route("/hang", hang), Route("/endless", Endless()),
    Route("/raised", raised), Route("/exit", ends_itself),
    WebSocketRoute("/chat", chat), WebSocketRoute("/talk", talk), WebSocketRoute("/refuse", refuse),
]
sessions = Middleware(SessionMiddleware, secret_key="secret")
app = Starlette(routes=routes, middleware=[sessions], lifespan=lifespan)

def make():
    return app

print("the app writes to stdout")
"""


def get(path: str, **fields: object) -> RecordedRequest:
    return RecordedRequest(**({"name": f"GET {path}", "path": path} | fields))  # type: ignore[arg-type]


def parts(check: Check) -> list[str]:
    return [difference.part for difference in check.differences]


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("apps")
    (path / "different.py").write_text(_DIFFERENT)
    (path / "same.py").write_text(_SAME)
    return path


@pytest.fixture(scope="module")
def different(app_dir: pathlib.Path) -> VerifyResult:
    """The application that answers differently, verified once for all tests below."""
    paths = (
        "/status",
        "/header-order",
        "/header-value",
        "/header-missing",
        "/text",
        "/json",
        "/json-type",
        "/binary",
        "/split",
        "/raised",
        "/raised-type",
        "/raised-on-one",
        "/hang-on-one",
        "/broken-off",
        "/same",
    )
    requests = [*map(get, paths), get("/ws", websocket=())]
    return verify("different:app", requests, app_dir=str(app_dir), timeout=0.5)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/status", ["status"]),
        ("/header-order", ["headers"]),
        ("/header-value", ["headers"]),
        ("/header-missing", ["headers"]),
        ("/text", ["body"]),
        ("/json", ["body"]),
        ("/json-type", ["body"]),
        ("/binary", ["body"]),
        ("/split", []),
        ("/raised", ["exception"]),
        ("/raised-type", ["exception"]),
        ("/raised-on-one", ["status", "headers", "body", "exception"]),
        ("/hang-on-one", ["timeout", "status", "headers", "body", "completion"]),
        ("/broken-off", ["body", "completion"]),
        ("/same", []),
        ("/ws", ["websocket"]),
    ],
)
def test_differences(different: VerifyResult, path: str, expected: list[str]) -> None:
    """Each kind of difference is found, and nothing else is reported with it."""
    (check,) = (check for check in different.checks if check.request.path == path)
    assert parts(check) == expected


def test_differences_hold_both_sides(different: VerifyResult) -> None:
    """A difference says what stock did and what the accelerated application did."""
    found = {check.request.path: check.differences for check in different.different}
    (status,) = found["/status"]
    assert (status.stock, status.accelerated) == (200, 201)
    (raised,) = found["/raised"]
    assert raised.stock == "builtins.ValueError: stock"
    assert raised.accelerated == "builtins.ValueError: fast"


def test_lifespan_difference(different: VerifyResult) -> None:
    """A shutdown that fails only when accelerated is a difference too."""
    assert different.lifespan is not None
    assert different.lifespan.stock == "started and stopped"
    assert different.lifespan.accelerated == "failed to stop: OSError: late"
    assert not different.same


def test_message_splitting_is_a_note(different: VerifyResult) -> None:
    """The same body in another number of messages is noted and is no difference."""
    (check,) = (check for check in different.checks if check.request.path == "/split")
    assert check.notes == ("body sent in 2 messages, on stock in 1",)


def test_stock_answers(different: VerifyResult) -> None:
    """The answers of stock stand by, one for each request, as a client would get them."""
    answers = dict(
        zip((c.request.path for c in different.checks), different.stock_answers, strict=True)
    )
    assert answers["/same"].status == 200
    assert answers["/same"].headers == ((b"a", b"1"), (b"b", b"2"))
    assert answers["/same"].body == b"body"
    assert answers["/raised"].status == 500
    assert answers["/raised"].body == b"Internal Server Error"


@pytest.fixture(scope="module")
def same(app_dir: pathlib.Path) -> dict[str, Check]:
    """The application that answers the same, by name of the request."""
    requests = [
        get("/same"),
        get("/volatile"),
        get("/steady"),
        get("/login", name="first", jar="a"),
        get("/login", name="second", jar="a"),
        get("/login", name="other jar", jar="b"),
        get("/logout", jar="a"),
        get("/login", name="again", jar="a"),
        get("/scope/../scope"),
        get("/scope%C3%A9?q=%20"),
        get("/scope?q=%20", name="scope", headers=(("X-Name", "Value"),)),
        get("/body", name="body", method="POST", body=b"abcdefgh", chunks=3),
        get("/gone", name="gone", method="POST", body=b"abc", chunks=2, disconnect=True),
        get("/raised"),
        get("/exit"),
        get("/hang"),
        get("/endless"),
        get("/same", name="head", method="HEAD"),
        get("/chat", subprotocols=("b", "a"), websocket=(SendBytes(b"xy"),)),
        get("/talk", websocket=(SendText("hello"), SendBytes(b"\0"), Close(4000))),
        get("/refuse", websocket=()),
        get("/seen"),
    ]
    result = verify("same:app", requests, app_dir=str(app_dir), timeout=0.5)
    assert result.different == []
    assert result.same
    return {check.request.name: check for check in result.checks}


def test_volatile_answers(same: dict[str, Check]) -> None:
    """What varies on stock itself is named, and the others are identical."""
    assert same["GET /volatile"].volatile == ("headers", "body")
    assert same["GET /raised"].volatile == ("exception",)
    assert same["GET /same"].volatile == ()


def test_steady_answers(same: dict[str, Check]) -> None:
    """Random numbers, hashes and the wall clock are the same in all runs; the clock advances."""
    assert same["GET /steady"].volatile == ()
    assert json.loads(same["GET /steady"].stock.body)[2:] == [3.0, True]


def test_cookie_jars(same: dict[str, Check]) -> None:
    """Requests of a jar share a session, signed cookies are the same in all runs."""
    names = ("first", "second", "other jar", "again")
    assert [json.loads(same[name].stock.body)["visits"] for name in names] == [1, 2, 1, 1]
    assert all(same[name].volatile == () for name in names)


def test_scope(same: dict[str, Check]) -> None:
    """The scope is the one that uvicorn gives."""
    assert ast.literal_eval(same["scope"].stock.body.decode()) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000"), (b"x-name", b"Value")],
        "state": {"pool": "open"},
        "method": "GET",
        "path": "/scope",
        "raw_path": b"/scope",
        "query_string": b"q=%20",
    }


def test_bodies(same: dict[str, Check]) -> None:
    """A body arrives in its chunks; a client that goes away is seen; HEAD has no body."""
    assert json.loads(same["body"].stock.body) == [3, 3, 2, 0]
    assert same["gone"].stock == Answer()
    assert json.loads(same["GET /seen"].stock.body) == ["http.disconnect", 4000]
    assert same["head"].stock.body == b""
    assert same["head"].stock.complete


def test_hanging_requests(same: dict[str, Check]) -> None:
    """A request that does not end is cancelled, and that alone is no difference."""
    assert same["GET /hang"].stock.timed_out
    assert same["GET /endless"].stock.timed_out
    assert same["GET /endless"].stock.body.startswith(b"0 1 2 ")


def test_system_exit(same: dict[str, Check]) -> None:
    """An endpoint that raises SystemExit does not end the run."""
    assert same["GET /exit"].stock.exception == "builtins.SystemExit: 3"


def test_websockets(same: dict[str, Check]) -> None:
    """All messages that the application sends are recorded, a refusal too."""
    assert same["GET /chat"].stock.sent == (
        {"type": "websocket.accept", "subprotocol": "b"},
        {"type": "websocket.send", "bytes": b"xyxy"},
    )
    assert [message.get("text") for message in same["GET /talk"].stock.sent] == [
        None,
        '"13"',
        "hello",
        "b'\\x00'",
    ]
    start, body = same["GET /refuse"].stock.sent
    assert (start["status"], body["body"]) == (401, b"no")


def test_ignored_headers(app_dir: pathlib.Path) -> None:
    """A header that is to be ignored makes no difference, in value or in presence."""
    requests = [get("/header-value"), get("/header-missing")]
    result = verify("different:app", requests, app_dir=str(app_dir), ignore_headers=["X-Kind", "B"])
    assert result.different == []


def test_derived_requests_and_progress(app_dir: pathlib.Path) -> None:
    """Without requests they come from the routes; every answer of every run is told."""
    told: list[tuple[str, int, int]] = []
    result = verify(
        "same:make",
        app_dir=str(app_dir),
        factory=True,
        limit=5,
        timeout=0.2,
        progress=lambda run, done, total: told.append((run, done, total)),
    )
    assert [check.request.name for check in result.checks] == [
        "GET /same",
        "HEAD /same",
        "OPTIONS /same",
        "GET /same/",
        "GET /volatile",
    ]
    runs = ("stock", "stock again", "accelerated")
    assert told == [(run, done, 5) for run in runs for done in range(6)]


def test_application_without_routes(app_dir: pathlib.Path) -> None:
    """An ASGI application that shows no routes gets two requests, and a note says so."""
    result = verify("different:app", app_dir=str(app_dir))
    assert [check.request.path for check in result.checks] == ["/", "/no-such-path"]
    assert "shows no routes" in result.notes[0]


@pytest.mark.parametrize(
    ("source", "target", "cause"),
    [
        ("", "bad:app", "bad:app: module 'bad' has no attribute 'app'"),
        ("", "missing:app", "missing:app: there is no module 'missing'"),
        ("", "bad", "bad: module 'bad' holds no Starlette or FastAPI application"),
        ("app = 1", "bad:app", "bad:app: is of type int, which is no ASGI application"),
        ("raise RuntimeError('no key')", "bad:app", "importing it raised RuntimeError: no key"),
        (
            "async def app(scope, receive, send):\n"
            "    await send({'type': 'lifespan.startup.failed', 'message': 'T:\\nOSError: no db'})",
            "bad:app",
            "bad:app: the lifespan failed on startup: OSError: no db",
        ),
        (
            "import os, signal\n"
            "async def app(scope, receive, send):\n"
            "    if scope['type'] == 'http':\n"
            "        print('last words', flush=True)\n"
            "        os.kill(os.getpid(), signal.SIGKILL)",
            "bad:app",
            "was killed by SIGKILL during request 1, GET /; the last line it wrote: last words",
        ),
        (
            "import os\n"
            "async def app(scope, receive, send):\n"
            "    if scope['type'] == 'http': os._exit(5)",
            "bad:app",
            "ended with exit code 5 during request 1, GET /",
        ),
        (
            "import os\nif 'TURBOSTAR_DISABLE' not in os.environ: raise OSError('fast')\n"
            "async def app(scope, receive, send): ...",
            "bad:app",
            "(accelerated only: it works on stock; TURBOSTAR_DISABLE=1 avoids this)",
        ),
    ],
)
def test_unusable_applications(
    tmp_path: pathlib.Path, source: str, target: str, cause: str
) -> None:
    """An application that cannot be run is told in one line, with the cause."""
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(WorkerError) as caught:
        verify(target, [get("/")], app_dir=str(tmp_path))
    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)


def command(*arguments: str, cwd: pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "turbostar", "verify", *arguments],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "120", "NO_COLOR": "1", "TURBOSTAR_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_command_without_difference(app_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """No difference: exit status 0, what varies on stock by name, and how many answers failed."""
    requests = tmp_path / "requests.jsonl"
    lines = ['{"path": "/same"}', '{"path": "/volatile", "name": "random"}', '{"path": "/exit"}']
    requests.write_text("\n".join(lines))
    done = command("same:app", "--requests", str(requests), cwd=app_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 answer varies on stock itself" in done.stdout
    assert "random: headers, body" in done.stdout
    assert "1 answer has a status of 500 or above on stock" in done.stdout
    assert "no answer differs" in done.stdout


def test_command_with_differences(app_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Differences: exit status 1, a readable diff of each kind, and all of it as JSON."""
    requests, report = tmp_path / "requests.jsonl", tmp_path / "report.json"
    paths = ("/status", "/header-value", "/text", "/json", "/json-type", "/binary")
    lines = [json.dumps({"path": path}) for path in paths]
    lines.append('{"path": "/ws", "websocket": []}')
    requests.write_text("\n".join(lines))
    options = ["--requests", str(requests), "--json", str(report)]
    done = command("different:app", *options, cwd=app_dir)
    assert (done.returncode, done.stderr) == (1, "")
    shown = {line.strip() for line in done.stdout.splitlines()}
    assert {"-200", "+201"} <= shown
    assert {"-x-kind: stock", "+x-kind: fast"} <= shown
    assert {"two", "-three", "+drei"} <= shown
    assert {'-  "n": 0', '+  "n": 1'} <= shown
    assert {'-{"n": 1}', '+{"n": 1.0}'} <= shown or {'-  "n": 1', '+  "n": 1.0'} <= shown
    assert any(line.startswith("-000000c0  c0 c1") and " ff " in line for line in shown)
    assert {
        "-websocket.send {'text': 'stock'}",
        "+websocket.send {'text': 'fast'}",
        "different: WEBSOCKET /ws",
        "different: the lifespan",
    } <= shown
    document = json.loads(report.read_text())
    assert (document["same"], document["different"], document["requests"]) == (False, 7, 7)
    assert document["checks"][0]["differences"] == [
        {"part": "status", "stock": 200, "accelerated": 201}
    ]
    assert document["checks"][5]["differences"][0]["stock"].keys() == {"base64"}


def test_command_mistakes(app_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Mistakes of the user: exit status 2 and one line, after what the application wrote."""
    requests = tmp_path / "requests.jsonl"
    requests.write_text('{"path": "/"}\n{"path": 1}\n')
    done = command("same:app", "--requests", str(requests), cwd=app_dir)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {requests}:2: Expected `str`, got `int`")
    done = command("same:xyz", cwd=app_dir)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "the application wrote:",
        "the app writes to stdout",
        "error: same:xyz: module 'same' has no attribute 'xyz'; check the name",
    ]
    done = command("same:app", "--app-dir", "nowhere", cwd=app_dir)
    assert done.stderr == "error: nowhere: no such directory; give an existing one to --app-dir\n"
    unwritable = str(tmp_path / "no" / "report.json")
    done = command("same:app", "--limit", "1", "--json", unwritable, cwd=app_dir)
    assert done.stderr.startswith(f"error: {unwritable}: there is no directory ")


def test_nothing_is_left_running(tmp_path: pathlib.Path) -> None:
    """A worker and what it has started end with a command that is told to end."""
    (tmp_path / "slow.py").write_text(
        "import asyncio, pathlib, os, subprocess\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'http':\n"
        "        child = subprocess.Popen(['sleep', '600'])\n"
        "        pathlib.Path('pids').write_text(f'{os.getpid()} {child.pid}\\n')\n"
        "        await asyncio.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "turbostar", "verify", "slow:app", "--timeout", "500"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pids = tmp_path / "pids"
    while not (pids.exists() and pids.read_text().endswith("\n")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 128 + signal.SIGTERM
    for pid in map(int, pids.read_text().split()):
        deadline = time.monotonic() + 30
        while _runs(pid):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # what nobody has waited for is no longer running either
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return not pathlib.Path("/proc").is_dir()
    return stat.rpartition(")")[2].split()[0] != "Z"


def answer(body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status=200, headers=headers, body=body, complete=True)


@pytest.mark.parametrize(
    ("stock", "other", "agrees"),
    [
        ((b"a", b"a"), b"a", True),
        ((b"a", b"a"), b"b", False),
        ((b"a", b"b"), b"c", True),
        ((b'{"a": 1, "b": 2}', b'{"a": 9, "b": 2}'), b'{"a": 5, "b": 2}', True),
        ((b'{"a": 1, "b": 2}', b'{"a": 9, "b": 2}'), b'{"a": 5, "b": 3}', False),
        ((b'{"a": 1, "b": 2}', b'{"a": 9, "b": 2}'), b'{"b": 2, "a": 5}', False),
        ((b'{"a": 1, "b": 2}', b'{"a": 9, "b": 2}'), b'{"a": "5", "b": 2}', False),
        ((b'{"a": 1, "b": 2}', b'{"a": 9, "b": 2}'), b'{"a": 1, "b": 2', False),
        ((b'[1, [1], "x"]', b'[2, [1], "x"]'), b'[3, [true], "x"]', False),
        ((b'[1, [1], "x"]', b'[2, [1], "x"]'), b'[3, [1], "x", 4]', False),
        ((b"[1, 2]", b"[1, 2, 3]"), b"[7]", True),
        ((b"a\n1\nb", b"a\n2\nb"), b"a\n3\nb", True),
        ((b"a\n1\nb", b"a\n2\nb"), b"a\n3\nc", False),
        ((b"a\n1\nb", b"a\n2\nb"), b"a\n3", False),
    ],
)
def test_volatile_bodies(stock: tuple[bytes, ...], other: bytes, agrees: bool) -> None:
    """Of a body that varies on stock, what does not vary is still compared."""
    found = compare([answer(body) for body in stock], answer(other), frozenset())
    assert (found.differences == ()) is agrees
    assert (found.volatile == ("body",)) is (len(set(stock)) > 1)


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate"])
@pytest.mark.parametrize(
    ("name", "agrees"), [("b", True), ("a-name-of-another-length", True), (None, False)]
)
def test_volatile_bodies_that_are_compressed(encoding: bytes, name: Any, agrees: bool) -> None:
    """What varies is what they hold: the bytes of the compression say nothing."""

    def packed(value: Any) -> Answer:
        text = json.dumps({"n": value, "same": list(range(50))}).encode()
        body = gzip.compress(text) if encoding == b"gzip" else zlib.compress(text)
        return answer(body, (b"content-encoding", encoding))

    stock = [packed(f"{number}\r\n" * number) for number in range(1, 4)]
    found = compare(stock, packed(name), frozenset())
    assert (found.differences == ()) is agrees
    assert found.volatile == ("body",)
    broken = answer(b"\x1f\x8bx", (b"content-encoding", encoding))
    assert compare([broken, answer(b"y", *broken.headers)], broken, frozenset()).differences == ()


def test_volatile_headers() -> None:
    """A varying value is masked, its neighbours are not; the length follows a varying body."""
    first = answer(b"1", (b"content-length", b"1"), (b"x", b"1"), (b"y", b"1"))
    second = answer(b"2", (b"content-length", b"1"), (b"x", b"2"), (b"y", b"1"))
    good = answer(b"33", (b"content-length", b"2"), (b"x", b"3"), (b"y", b"1"))
    assert compare([first, second], good, frozenset()).differences == ()
    bad = answer(b"3", (b"content-length", b"1"), (b"x", b"3"), (b"y", b"2"))
    (difference,) = compare([first, second], bad, frozenset()).differences
    assert difference.part == "headers"
    missing = answer(b"3", (b"content-length", b"1"), (b"y", b"1"))
    (difference,) = compare([first, second], missing, frozenset()).differences
    assert difference.part == "headers"


def test_cookie_jar() -> None:
    """Cookies are kept by name and path, replaced, expired and sent where they belong."""
    jar = CookieJar()
    jar.update(["a=1; Path=/", "b=2; path=/shop", "c=3", "junk"], path="/shop/cart?x=/y/", now=0)
    assert jar.header("/") == "a=1"
    assert jar.header("/shop/cart") == "b=2; c=3; a=1"
    assert jar.header("/shopping") == "a=1"
    jar.update(["a=9; Path=/; Max-Age=60", "b=; Path=/shop; Max-Age=0"], path="/", now=0)
    assert jar.header("/shop") == "c=3; a=9"
    jar.update(["a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:10 GMT"], path="/", now=11)
    assert jar.header("/") is None


async def _endpoint(request: object) -> Response:
    return Response()


class _Odd(Convertor[str]):
    regex = "@@[a-z]+@@"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def test_derive_walks_everything(tmp_path: pathlib.Path) -> None:
    """Mounts, hosts, routers, wrapped and static applications are entered."""
    (tmp_path / "logo.svg").write_text("<svg/>")
    routes: list[BaseRoute] = [
        Route("/", _endpoint),
        Route("/i/{a:int}/{b:uuid}", _endpoint, methods=["PUT"]),
        Route("/f/{a:float}/é", _endpoint, methods=["DELETE"]),
        Mount("/in/{x}", routes=[Mount("/deep", Router([Route("/p/{p:path}", _endpoint)]))]),
        Mount("/zip", GZipMiddleware(Router([Route("/z", _endpoint)]))),
        Mount("/static", StaticFiles(directory=tmp_path)),
        Host("{sub}.example.org", Router([Route("/hosted", _endpoint)])),
        WebSocketRoute("/ws/{room}", _endpoint),
    ]
    requests, notes = derive_requests(GZipMiddleware(Starlette(routes=routes)), unsafe=True)
    found = {(request.method, request.path) for request in requests if request.websocket is None}
    assert notes == []
    uuid = "3f0c2a44-8a1e-4b57-9d36-5a2f7be01c11"
    assert {
        ("GET", "/"),
        ("PUT", f"/i/1/{uuid}"),
        ("OPTIONS", f"/i/1/{uuid}"),
        ("GET", f"/i/1/{uuid}/"),
        ("PUT", "/i/1/no-fit"),
        ("DELETE", "/f/1/%C3%A9"),
        ("GET", "/in/1/deep/p/sample/path.txt"),
        ("GET", "/in/1/deep"),
        ("GET", "/in/1/no-such-path"),
        ("HEAD", "/zip/z"),
        ("GET", "/static/logo.svg"),
        ("GET", "/hosted"),
        ("GET", "/ws/1"),
        ("GET", "/no-such-path"),
    } <= found
    (socket,) = (request for request in requests if request.websocket is not None)
    assert (socket.name, socket.websocket) == ("WEBSOCKET /ws/1", ())
    (hosted,) = (one for one in requests if (one.method, one.path) == ("GET", "/hosted"))
    assert hosted.headers == (("host", "1.example.org"),)
    (put,) = (one for one in requests if (one.method, one.path) == ("PUT", f"/i/1/{uuid}"))
    assert put.body == b"{}"


def test_derive_ends_where_routes_contain_themselves() -> None:
    """A mounted application that leads back to its own routes is entered once."""
    router = Router([Route("/a", _endpoint)])
    router.routes += [Mount("/one", router), Mount("/two", GZipMiddleware(router))]
    paths = {request.path for request in derive_requests(router)[0]}
    assert "/a" in paths
    assert "/one/a" not in paths
    assert len(paths) < 10


def test_derive_tells_what_it_cannot_reach() -> None:
    """A parameter for which no sample fits is told, with the route's whole path."""
    route = Route("/{a}", _endpoint)
    route.param_convertors = {"a": _Odd()}
    _, notes = derive_requests(Router([Mount("/in", routes=[route])]))
    assert notes == ["not requested: /in/{a} (no sample fits the parameter 'a')"]


def test_bundled_application() -> None:
    """The bundled shop answers all of its recorded requests the same."""
    root = pathlib.Path(__file__).parents[2]
    requests = read_requests(root / "examples" / "shop" / "requests.jsonl")
    result = verify("examples.shop:app", requests, app_dir=str(root))
    assert result.different == []
    assert result.lifespan is None
    assert len(result.checks) == len(requests)
