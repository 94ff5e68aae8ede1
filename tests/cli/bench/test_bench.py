"""The command, end to end, against small applications."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from turbostar.cli.bench.command import bench
from turbostar.cli.bench.results import METRICS, Result
from turbostar.cli.bench.servers import Software
from turbostar.cli.errors import UserError

psutil = pytest.importorskip("psutil")

_APP = """
import os
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

count = 0

async def hello(request):
    return JSONResponse({"hello": request.path_params["name"]})

async def counted(request):
    global count
    count += 1
    return PlainTextResponse(str(count))

def stream(request):
    return StreamingResponse(iter(["one", "two"]))

async def length(request):
    return PlainTextResponse(str(len(await request.body())))

async def biased(request):
    return PlainTextResponse(os.environ.get("TURBOSTAR_DISABLE", "different"))

async def raising(request):
    raise LookupError("no such thing")

async def fatal(request):
    global count
    count += 1
    if count > 6 and not os.environ.get("TURBOSTAR_DISABLE"):
        print("the last straw", flush=True)
        os._exit(7)
    return PlainTextResponse("still here")

app = Starlette(routes=[
    Route("/hello/{name}", hello),
    Route("/counted", counted),
    Route("/stream", stream),
    Route("/length", length, methods=["POST"]),
    Route("/biased", biased),
    Route("/raising", raising),
    Route("/fatal", fatal),
])
"""
_REQUESTS = """
{"path": "/hello/you", "mix": "json"}
{"path": "/hello/you", "method": "HEAD"}
{"path": "/stream"}
{"path": "/counted"}
{"path": "/length", "method": "POST", "body": "abcdef", "chunks": 3}
{"path": "/missing"}
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with an application and a file of requests."""
    (tmp_path / "small_app.py").write_text(_APP)
    (tmp_path / "requests.jsonl").write_text(_REQUESTS)
    return tmp_path


def _run(
    folder: pathlib.Path,
    app: str = "small_app:app",
    requests: str | None = None,
    **options: object,
) -> int:
    file = folder / "requests.jsonl"
    if requests is not None:
        file.write_text(requests)
    given = {"requests": file, "duration": 0.3, "rounds": 1, "connections": 4, **options}
    return bench(app, app_dir=str(folder), **given)  # type: ignore[arg-type]


def _running() -> set[Any]:
    """The processes that this one has started, or that these have."""
    return {
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
    }


@pytest.fixture
def others() -> set[Any]:
    """Processes that tests before this one have left, such as multiprocessing's of its own."""
    return _running()


def test_the_whole_way(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str], others: set[Any]
) -> None:
    """Verified, measured, shown as a table, as JSON and as a page; nothing is left running."""
    json, report = folder / "result.json", folder / "report.html"
    assert _run(folder, json=str(json), report=report) == 0
    assert _running() <= others

    result = msgspec.json.decode(json.read_bytes(), type=Result)
    assert [mix.name for mix in result.mixes] == ["all", "json"]
    assert [mix.requests for mix in result.mixes] == [6, 1]
    assert [note.name for note in result.notes] == ["GET /counted"]
    assert result.verification.done
    for mix in result.mixes:
        assert mix.figures.keys() == {metric.key for metric in METRICS}
        assert len(mix.stock) == len(mix.turbostar) == 1
        for figure in mix.figures.values():
            assert figure.stock.median > 0
            assert figure.shown_stock == figure.stock.values[0]
            assert figure.ratios.values == (figure.turbostar.values[0] / figure.stock.values[0],)
    counted = sum(sample.requests for mix in result.mixes for sample in mix.stock + mix.turbostar)
    assert result.answers_compared >= counted

    printed = capsys.readouterr().out
    for words in ("small_app:app", "requests/s", "CPU", "p99", "B/A", "status only"):
        assert words in printed
    _check_page(report.read_text())


@pytest.mark.parametrize("software", [Software.TURBOSTAR, Software.GRANIAN])
def test_other_servers(
    folder: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    others: set[Any],
    software: Software,
) -> None:
    """The same answers, figures and end by turbostar's protocol class, and by Granian."""
    json = folder / "result.json"
    assert _run(folder, server=software, json=str(json), factory=False) == 0
    assert _running() <= others
    result = msgspec.json.decode(json.read_bytes(), type=Result)
    assert result.settings["server"] == software.described
    assert result.answers_compared > 100
    assert software.described in capsys.readouterr().out


def test_a_factory_on_granian(folder: pathlib.Path) -> None:
    """Its workers import the application as `turbostar run` does, and each side is its own."""
    app = _APP + "\ndef made():\n    return app\n"
    (folder / "small_app.py").write_text(app)
    requests = '{"path": "/biased"}\n'
    options = {"server": Software.GRANIAN, "factory": True, "verify": False}
    assert _run(folder, "small_app:made", requests, **options) == 1


def test_a_server_that_is_not_installed(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named before any work is done, with what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "granian" else 1)
    with pytest.raises(UserError, match=r"needs granian.*run: pip install granian$"):
        _run(folder, server=Software.GRANIAN)


def _check_page(page: str) -> None:
    HTMLParser().feed(page)
    assert page.count("<svg ") == 7  # four of bars, three of ratios
    assert "small_app:app" in page
    assert "Verified first" in page
    assert not re.search(r"""(?:src|href)=["'](?!#)|https?://|@import|url\((?!#)""", page)


def test_derived_requests(folder: pathlib.Path) -> None:
    """Without a file the GETs that succeed are derived from the routes."""
    file = folder / "result.json"
    app = re.sub(r"    Route\(\"/(biased|raising|fatal).*\n", "", _APP)
    (folder / "small_app.py").write_text(app)
    given = {"duration": 0.3, "rounds": 1, "connections": 2}
    assert bench("small_app:app", app_dir=str(folder), json=str(file), **given) == 0  # type: ignore[arg-type]
    result = msgspec.json.decode(file.read_bytes(), type=Result)
    assert result.mixes[0].requests == 4  # hello with two names, counted, stream


def test_a_difference_ends_it_before_measuring(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An application that answers differently is not measured."""
    assert _run(folder, requests='{"path": "/biased"}') == 1
    printed = capsys.readouterr().err
    assert "/biased" in printed
    assert "nothing was measured" in printed


def test_a_wrong_answer_ends_the_load(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str], others: set[Any]
) -> None:
    """Unverified, a wrong answer is found all the same, and named with its difference."""
    assert _run(folder, requests='{"path": "/biased"}', verify=False) == 1
    printed = capsys.readouterr().err
    assert "wrong answer of turbostar to 'GET /biased'" in printed
    assert "b'different' instead of b'1'" in printed
    assert _running() <= others


def test_a_request_that_raises(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """uvicorn closes the connection after it; it is measured all the same, and that is told."""
    requests = '{"path": "/raising"}\n{"path": "/hello/you"}\n'
    file = folder / "result.json"
    assert _run(folder, requests=requests, json=str(file)) == 0
    result = msgspec.json.decode(file.read_bytes(), type=Result)
    assert [note.name for note in result.notes] == ["GET /raising"]
    assert re.search(
        r"[1-9][\d,]* times on stock and [1-9][\d,]* times on turbostar", result.notes[0].text
    )
    assert "closed the connection" in capsys.readouterr().out


def test_a_server_that_dies_under_load(folder: pathlib.Path, others: set[Any]) -> None:
    """The error names the side, the status and the last words of the server."""
    with pytest.raises(
        UserError, match=r"turbostar server ended .* \(exit status 7; .*the last straw\)"
    ):
        _run(folder, requests='{"path": "/fatal"}', verify=False)
    assert _running() <= others


def test_an_application_that_does_not_exist(folder: pathlib.Path, others: set[Any]) -> None:
    """An unknown application is the user's mistake, verified or not."""
    with pytest.raises(UserError, match="no_such_module"):
        _run(folder, "no_such_module:app")
    with pytest.raises(UserError, match="no_such_module"):
        _run(folder, "no_such_module:app", verify=False)
    assert _running() <= others


def test_an_unknown_mix(folder: pathlib.Path) -> None:
    """A mix that no request belongs to is an error that lists the others."""
    with pytest.raises(UserError, match=r"'jsn'; the mixes are all, json"):
        _run(folder, mix=["jsn"], verify=False)


def test_a_port_in_use(folder: pathlib.Path) -> None:
    """A port that is taken is said to be."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} cannot be used .*--port"):
            _run(folder, port=port, verify=False)


@pytest.mark.parametrize("option", ["json", "report"])
@pytest.mark.parametrize("name", ["no/result", ".", "sealed/result", "kept"])
def test_an_output_that_cannot_be_written(folder: pathlib.Path, option: str, name: str) -> None:
    """It is found before the work, not after it."""
    (folder / "sealed").mkdir(mode=0o500)
    (folder / "kept").touch(mode=0o400)
    if os.access(folder / "sealed", os.W_OK) and name in ("sealed/result", "kept"):
        pytest.skip("nothing is closed to this user")
    path = folder / name
    with pytest.raises(UserError, match=f"give a writable file to --{option}"):
        _run(folder, "no_such_module:app", **{option: str(path) if option == "json" else path})


def test_quick_excludes_rounds(folder: pathlib.Path) -> None:
    """What --quick decides cannot be given too."""
    for given in ({"rounds": 3}, {"duration": 2.0}):
        with pytest.raises(UserError, match=r"--quick and --(rounds|duration) exclude each other"):
            bench("small_app:app", app_dir=str(folder), quick=True, **given)  # type: ignore[arg-type]


def test_json_on_standard_output(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json -` standard output is the JSON alone; the table goes to stderr."""
    assert _run(folder, requests='{"path": "/hello/you"}', json="-", verify=False) == 0
    printed = capsys.readouterr()
    assert msgspec.json.decode(printed.out, type=Result).mixes[0].requests == 1
    assert "requests/s" in printed.err


def is_under_way(process: psutil.Process) -> bool:
    """Whether a server or the load runs in the process, which may be gone by now."""
    try:
        return bool({"run", "turbostar.cli.bench.load"} & set(process.cmdline()))
    except psutil.Error:
        return False


@pytest.fixture
def heeding() -> Iterator[None]:
    """Heed Ctrl-C here and in children, as in a terminal: a shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _under_load(folder: pathlib.Path) -> tuple[subprocess.Popen[bytes], list[Any]]:
    """A benchmark whose two servers and load process have just come up, and these three."""
    command = [sys.executable, "-m", "turbostar", "bench", "small_app:app", "--no-verify"]
    command += ["--app-dir", str(folder), "--requests", str(folder / "requests.jsonl")]
    process = subprocess.Popen(
        [*command, "--duration", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    started: list[Any] = []
    deadline = time.monotonic() + 60
    # Each is there only once it runs a program of its own.
    while len(started) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
        started = [one for one in children if is_under_way(one)]
    assert len(started) >= 3
    return process, started


@pytest.mark.usefixtures("heeding")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_interrupted_it_leaves_nothing_running(
    folder: pathlib.Path, number: signal.Signals, status: int
) -> None:
    """Interrupted under load it ends its servers, and its status tells the signal."""
    process, started = _under_load(folder)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"Traceback" not in errors
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []


def test_killed_it_leaves_nothing_running(folder: pathlib.Path) -> None:
    """Killed, it can end nothing itself: its servers and its load end all the same."""
    process, started = _under_load(folder)
    process.kill()
    process.communicate(timeout=60)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
