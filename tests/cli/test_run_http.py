"""`turbostar run --http`: the protocol class that serves."""

from __future__ import annotations

import importlib.util
import pathlib
import signal
import urllib.request
from typing import Any

import pytest

from tests.cli.test_run import command, states
from turbostar.cli import protocols
from turbostar.cli.errors import UserError

_APP = """
import asyncio, json

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError
    body = json.dumps({"pid": 1, "module": type(send.__self__).__module__}).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""
OURS, STOCK = "turbostar.server.cycle", "uvicorn.protocols.http.httptools_impl"


@pytest.fixture
def app_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "asking.py").write_text(_APP)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "environ", "module"),
    [
        ([], {}, OURS),
        (["--http", "auto", "--workers", "2"], {}, OURS),
        (["--http", "turbostar"], {}, OURS),
        (["--http", "httptools"], {}, STOCK),
        (["--http", "h11"], {}, "uvicorn.protocols.http.h11_impl"),
        (["--http", "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol"], {}, STOCK),
        ([], {"UVICORN_HTTP": "httptools"}, STOCK),
        ([], {"TURBOSTAR_DISABLE": "1"}, STOCK),
        (["--http", "turbostar"], {"TURBOSTAR_DISABLE": "1"}, STOCK),
    ],
)
def test_protocol(
    app_dir: pathlib.Path, arguments: list[str], environ: dict[str, str], module: str
) -> None:
    """turbostar's own by default, uvicorn's by its name, and with the kill switch."""
    port = free_port()
    process = command(app_dir, "asking:app", "--port", str(port), *arguments, **environ)
    try:
        assert states(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
            assert module in response.read().decode()
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM), log


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Let libraries be missing."""
    find: Any = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in missing else find(name)
    )


def test_without_httptools(monkeypatch: pytest.MonkeyPatch) -> None:
    """What uvicorn takes by itself then, or one line that says what to install."""
    assert protocols.chosen("auto") == protocols.chosen("turbostar")
    without(monkeypatch, "httptools")
    assert protocols.chosen("auto") == "auto"
    with pytest.raises(UserError, match=r"needs httptools.*pip install 'turbostar\[server\]'"):
        protocols.chosen("turbostar")


def test_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what would make it faster."""
    monkeypatch.setattr("sys.platform", "linux")
    without(monkeypatch, "uvloop")
    assert protocols.advice() == (
        "serving on asyncio's own event loop; pip install uvloop makes it faster"
    )
    monkeypatch.setattr("sys.platform", "win32")
    assert protocols.advice() is None


def test_http2_is_uvicorns_business(app_dir: pathlib.Path) -> None:
    """Its own class for that has to be asked for, as ever."""
    assert protocols.chosen("auto", http2=True) == "auto"
    assert protocols.chosen("zttp", http2=True) == "zttp"


def test_help_names_it(app_dir: pathlib.Path) -> None:
    """The option says what auto is."""
    process = command(app_dir, "--help")
    shown, _ = process.communicate(timeout=30)
    assert "auto is turbostar's" in " ".join(shown.split())


def test_an_unknown_one_is_an_error(app_dir: pathlib.Path) -> None:
    """As uvicorn tells it."""
    process = command(app_dir, "asking:app", "--http", "no_such.module:Class")
    _, stderr = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "no_such" in stderr
