"""The verdict of verify: what it proves, what it does not, and how much varies."""

from __future__ import annotations

import json
import pathlib
import sys
from datetime import datetime, timedelta

import pytest

from tests.cli.commands import in_terminal, turbostar
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify import Check, verify
from turbostar.cli.verify.answers import Answer
from turbostar.cli.verify.verdict import failed, proves_nothing

_APPS = """
import asyncio, contextlib, time
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def fine(request):
    return PlainTextResponse("fine")

async def raises(request):
    raise RuntimeError("no database")

async def hangs(request):
    await asyncio.sleep(600)

async def blocks(request):
    time.sleep(600)  # here

async def change(request):
    return PlainTextResponse("changed")

async def closed(request):
    return PlainTextResponse("who are you?", 401)

@contextlib.asynccontextmanager
async def lifespan(app):
    yield
    raise RuntimeError("cannot save")

blocking = Starlette(routes=[Route("/blocks", blocks), Route("/fine", fine)])
writing = Starlette(routes=[Route("/change", change, methods=["POST"])])
guarded = Starlette(routes=[Route("/closed", closed)])
half = Starlette(routes=[Route("/closed", closed), Route("/fine", fine)])
stopping = Starlette(routes=[Route("/fine", fine)], lifespan=lifespan)

def make(*endpoints):
    return Starlette(routes=[Route("/" + one.__name__, one) for one in endpoints])

failing = make(raises)
hanging = make(hangs)
both = make(raises, hangs, fine)

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]

def nothing():
    return None

def plain(scope, receive, send):
    return "hello"
"""

# Everything here varies from process to process, unless it is made the same.
_RANDOM = """
import os, random, secrets, time, uuid
from datetime import date, datetime, timezone
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

async def numbers(request):
    return JSONResponse([
        os.urandom(8).hex(), random.random(), random.SystemRandom().random(),
        secrets.token_hex(), secrets.randbelow(10**9), str(uuid.uuid1()), str(uuid.uuid4()),
    ])

async def times(request):
    return JSONResponse([
        str(datetime.now()), str(datetime.now(timezone.utc)), time.strftime("%X"),
        time.gmtime().tm_sec, time.time(),
    ])

async def signed(request):
    request.session["at"] = datetime.now().isoformat()
    return JSONResponse(TimestampSigner("key").sign("text").decode())

async def visits(request):
    return JSONResponse(dict(request.session))

async def slept(request):
    import asyncio
    before = asyncio.get_running_loop().time()
    await asyncio.sleep(0.05)
    return JSONResponse(asyncio.get_running_loop().time() - before >= 0.05)

endpoints = (numbers, times, signed, visits, slept)
app = Starlette(
    routes=[Route("/" + one.__name__, one) for one in endpoints],
    middleware=[Middleware(SessionMiddleware, secret_key="secret")],
)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A directory with the applications, and with requests to them."""
    path = tmp_path_factory.mktemp("verdicts")
    (path / "apps.py").write_text(_APPS)
    (path / "varying.py").write_text(_RANDOM)
    (path / "raises.jsonl").write_text('{"path": "/raises"}\n')
    (path / "hangs.jsonl").write_text('{"path": "/hangs"}\n')
    (path / "both.jsonl").write_text('{"path": "/raises"}\n{"path": "/fine"}\n{"path": "/hangs"}\n')
    names = ("numbers", "numbers", "times", "signed", "visits", "slept")
    lines = [json.dumps({"path": f"/{name}", "jar": "client"}) for name in names]
    (path / "varying.jsonl").write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (
            ["apps:failing", "--requests", "raises.jsonl"],
            "apps:failing: nothing is shown: every request failed on stock Starlette itself "
            "(builtins.RuntimeError: no database); give the application what it needs",
        ),
        (
            ["apps:failing"],
            "apps:failing: nothing is shown: every request that reaches a handler failed on stock ",
        ),
        (
            ["apps:hanging", "--requests", "hangs.jsonl", "--timeout", "0.1"],
            "apps:hanging: nothing is shown: no request was answered in time, on stock Starlette ",
        ),
        (
            ["apps:wsgi"],
            "apps:wsgi: is no ASGI application, for it cannot be called with scope, receive and "
            "send: its arguments are (environ, start_response); name the application",
        ),
        (["json:dumps"], "json:dumps: is no ASGI application, for it cannot be called with scope"),
        (["apps:nothing"], "apps:nothing: returned None, which is no ASGI application; correct it"),
        (["apps:plain"], "can't be used in 'await' expression"),
    ],
)
def test_nothing_is_shown(folder: pathlib.Path, arguments: list[str], cause: str) -> None:
    """Where nothing can be concluded, the exit status is 2, and no line sounds cheerful."""
    done = turbostar("verify", *arguments, cwd=folder)
    assert done.returncode == 2
    assert "no answer differs" not in done.stdout
    assert done.stderr.startswith("error: ")
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_is_shown_in_a_terminal(folder: pathlib.Path) -> None:
    """In a terminal the error is the last line."""
    status, shown = in_terminal("verify", "apps:failing", cwd=folder)
    assert status == 2
    assert "error: apps:failing: nothing is shown" in shown.splitlines()[-1]
    assert "no answer differs" not in shown


def test_bench_measures_no_failures(folder: pathlib.Path) -> None:
    """`bench` does not measure how fast an application fails."""
    done = turbostar("bench", "apps:failing", "--requests", "raises.jsonl", "--quick", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: apps:failing: nothing to measure: every request failed on stock")


def test_fail_on_error(folder: pathlib.Path) -> None:
    """With `--fail-on-error` a single failure counts, and is named; else it is a remark."""
    arguments = ["verify", "apps:both", "--requests", "both.jsonl", "--timeout", "0.1"]
    done = turbostar(*arguments, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 answer has a status of 500 or above on stock" in done.stdout
    done = turbostar(*arguments, "--fail-on-error", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    last = done.stdout.splitlines()[-1]
    assert last == "--fail-on-error: failed on stock: GET /raises, GET /hangs"
    done = turbostar(*arguments, "--limit", "2", "--fail-on-error", cwd=folder)
    assert done.stdout.splitlines()[-1].endswith("failed on stock: GET /raises")


@pytest.mark.parametrize(
    ("app", "cause"),
    [
        ("writing", "3 answered as routing alone answers (404, 405, redirects to the same path)"),
        ("guarded", "2 refused (401, 403), 3 answered as routing alone answers"),
    ],
)
def test_no_handler_has_answered(folder: pathlib.Path, app: str, cause: str) -> None:
    """Where routing alone answers, or all is refused, there is no verdict and the exit code 2."""
    done = turbostar("verify", f"apps:{app}", cwd=folder)
    assert done.returncode == 2
    assert "no answer differs" not in done.stdout
    assert done.stderr.startswith(f"error: apps:{app}: nothing is shown: none of ")
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_blocked_loop_is_noticed(folder: pathlib.Path) -> None:
    """A request that blocks the loop ends the run soon after its time, and the place is named."""
    line = 1 + (folder / "apps.py").read_text().splitlines().index("    time.sleep(600)  # here")
    done = turbostar("verify", "apps:blocking", "--timeout", "0.2", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: apps:blocking: request 1, GET /blocks, blocks the event loop ({folder}/apps.py:"
        f"{line}): it has not ended within 0.2 seconds and cannot be cancelled; have a thread do "
        "what blocks, give a longer --timeout, or leave the request out\n"
    )


def test_refusals_are_told(folder: pathlib.Path) -> None:
    """Where some requests are refused, a line says what that means."""
    done = turbostar("verify", "apps:half", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 requests were refused (401, 403), and what is behind was not compared: if" in (
        done.stdout
    )


def test_a_failure_at_the_end_is_told(folder: pathlib.Path) -> None:
    """If the lifespan fails when the application stops, on both sides, a line says so."""
    line = "the lifespan failed at the end, on stock as well: failed to stop: RuntimeError: cannot"
    done = turbostar("verify", "apps:stopping", "--json", "found.json", cwd=folder)
    assert done.returncode == 0
    assert line in done.stdout
    found = json.loads((folder / "found.json").read_text())
    assert found["shutdown"] == "failed to stop: RuntimeError: cannot save"
    done = turbostar("verify", "apps:stopping", "--fail-on-error", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "--fail-on-error: failed on stock: the shutdown"
    options = ["--rounds", "1", "--restarts", "1", "--duration", "0.2", "--connections", "1"]
    assert line in turbostar("bench", "apps:stopping", *options, cwd=folder).stderr
    done = turbostar("bench", "apps:stopping", *options, "--no-verify", cwd=folder)
    assert "the lifespan failed when the servers were stopped: RuntimeError" in done.stdout


def test_the_verdict_counts(folder: pathlib.Path) -> None:
    """The verdict says how many answers were compared in full and how many by shape, and why."""
    done = turbostar("verify", "varying:app", "--requests", "varying.jsonl", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        "no answer differs from stock Starlette's: 3 compared in full, 3 by shape"
    )
    assert "3 answers vary on stock itself: of what varies, only the shape was compared" in (
        done.stdout
    )
    assert "--freeze-clock makes times alike, if it is these that vary" in done.stdout


def test_frozen_clock(folder: pathlib.Path) -> None:
    """With the clock frozen nothing varies, signed cookies included; event loops go on."""
    options = ["--requests", "varying.jsonl", "--freeze-clock", "--json", "found.json"]
    done = turbostar("verify", "varying:app", *options, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("6 compared in full, 0 by shape")
    found = json.loads((folder / "found.json").read_text())
    assert (found["identical"], found["volatile"], found["failed"]) == (6, 0, 0)
    assert (found["runs"], found["proves_nothing"]) == (3, None)


@pytest.mark.parametrize("freeze", [False, True])
def test_time_goes_on(folder: pathlib.Path, freeze: bool) -> None:
    """A second passes from one request to the next, on the frozen clock as well."""
    requests = [RecordedRequest(name=name, path="/times") for name in ("first", "second")]
    checks = verify("varying:app", requests, app_dir=str(folder), freeze_clock=freeze).checks
    first, second = (json.loads(one.stock.body) for one in checks)
    assert second[4] - first[4] == 1
    assert [one.volatile == () for one in checks] == [freeze, freeze]
    if freeze:
        moments = [datetime.fromisoformat(body[0]) for body in (first, second)]
        assert moments[1] - moments[0] == timedelta(seconds=1)


def test_random_numbers(folder: pathlib.Path) -> None:
    """Random numbers are the same in all runs, and others in each request."""
    requests = [RecordedRequest(name=name, path="/numbers") for name in ("first", "second")]
    first, second = verify("varying:app", requests, app_dir=str(folder)).checks
    assert first.volatile == second.volatile == ()
    numbers = json.loads(first.stock.body), json.loads(second.stock.body)
    assert not set(numbers[0]) & set(numbers[1])
    assert numbers[0][6][14] == "4"  # still the UUID of its version
    result = verify("varying:app", requests, app_dir=str(folder), seed=False)
    assert all("body" in one.volatile for one in result.checks)


def test_a_request_does_not_spoil_the_next(tmp_path: pathlib.Path) -> None:
    """One that takes more random numbers when accelerated does not change those after it."""
    (tmp_path / "greedy.py").write_text(
        "import os, uuid\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] != 'http': return\n"
        "    if scope['path'] == '/greedy' and 'TURBOSTAR_DISABLE' not in os.environ:\n"
        "        os.urandom(100)\n"
        "    await send({'type': 'http.response.start', 'status': 200})\n"
        "    await send({'type': 'http.response.body', 'body': uuid.uuid4().bytes})\n"
    )
    requests = [RecordedRequest(name=path, path=path) for path in ("/greedy", "/modest")]
    greedy, modest = verify("greedy:app", requests, app_dir=str(tmp_path)).checks
    assert [difference.part for difference in greedy.differences] == ["body"]
    assert (modest.differences, modest.volatile) == ((), ())


def test_state_left_behind(tmp_path: pathlib.Path) -> None:
    """Where a status varies from run to run, the remark says what is likely to be the reason."""
    (tmp_path / "leaving.py").write_text(
        "import pathlib\n"
        "from starlette.responses import Response\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] != 'http': return\n"
        "    taken = pathlib.Path('taken')\n"
        "    await Response(status_code=409 if taken.exists() else 201)(scope, receive, send)\n"
        "    taken.touch()\n"
    )
    (tmp_path / "requests.jsonl").write_text('{"path": "/", "method": "POST"}')
    done = turbostar("verify", "leaving:app", "--requests", "requests.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    assert "begin each run with fresh data" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("0 compared in full, 1 by shape")


def test_missing_library(folder: pathlib.Path) -> None:
    """Without time-machine, `--freeze-clock` says which extra to install."""
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['time_machine'] = None\n")
    try:
        done = turbostar(
            "verify", "varying:app", "--freeze-clock", cwd=folder, PYTHONPATH=_path(folder)
        )
    finally:
        (folder / "sitecustomize.py").unlink()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --freeze-clock needs time-machine, which is missing; pip install 'turbostar[cli]'\n"
    )


def _path(first: pathlib.Path) -> str:
    return ":".join([str(first), *filter(None, sys.path)])


def check(**answer: object) -> Check:
    return Check(
        request=RecordedRequest(name="GET /", path="/"),
        stock=Answer(**answer),  # type: ignore[arg-type]
        accelerated=Answer(),
        differences=(),
        volatile=(),
        notes=(),
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(status=200), False),
        (Answer(status=404), False),
        (Answer(status=500), True),
        (Answer(status=503, exception="E: no"), True),
        (Answer(timed_out=True), True),
        (Answer(status=200, timed_out=True), False),  # an endless stream
        (Answer(sent=({"type": "websocket.accept"},)), False),
        (Answer(sent=({"type": "websocket.accept"},), timed_out=True), False),
        (Answer(exception="E: no"), True),
        (Answer(), False),  # the client went away
    ],
)
def test_what_is_a_failure(answer: Answer, expected: bool) -> None:
    """A failure is a 5xx, an exception in place of an answer, or no answer in time."""
    assert failed(answer) is expected


def test_answers_of_routing_prove_nothing() -> None:
    """Of derived requests, redirects, 404 and 405 do not count, unless nothing else is there."""
    error, missing, moved = check(status=500), check(status=404), check(status=307)
    assert proves_nothing([error, missing, moved], derived=True) is not None
    assert proves_nothing([error, missing, moved], derived=False) is None
    assert proves_nothing([missing, moved], derived=True) is None  # to another place
    assert proves_nothing([error, check(status=400)], derived=True) is None
    slash = check(status=307, headers=((b"location", b"https://a/?b"),))
    assert proves_nothing([missing, slash, check(status=405)], derived=False) == (
        "none of 3 requests shows what a handler answers: 3 answered as routing alone answers "
        "(404, 405, redirects to the same path)"
    )
    turned_away = [
        check(status=401),
        check(sent=({"type": "websocket.close"},)),
        check(sent=({"type": "websocket.http.response.start", "status": 401},)),
    ]
    assert proves_nothing([*turned_away, missing, error], derived=False) == (
        "none of 5 requests shows what a handler answers: 1 failed, 3 refused (401, 403), 1 "
        "answered as routing alone answers (404, 405, redirects to the same path)"
    )
    accepted = check(sent=({"type": "websocket.accept"},))
    assert proves_nothing([*turned_away, accepted], derived=False) is None
    assert proves_nothing([error, check(timed_out=True)], derived=False) is not None
