"""The pytest plugin: what test clients send becomes a request file."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from tests.cli.commands import turbostar
from tests.cli.members import APP

_TESTS = """
import asyncio
import re

import httpx
import httpx2
import pytest
from starlette.testclient import TestClient

from members import app

def test_form():
    with TestClient(app) as client:
        assert client.app is app
        token = re.search(r'value="(\\w+)"', client.get("/enter").text)[1]
        data = {"user": "Ann", "password": "sesame", "csrf_token": token}
        assert client.post("/enter", data=data).text == "welcome"
        assert client.get("/").text == "hello Ann"

@pytest.mark.parametrize("library", [httpx, httpx2])
def test_token(library):
    async def main():
        transport = library.ASGITransport(app)
        async with library.AsyncClient(transport=transport, base_url="http://test") as client:
            token = (await client.post("/token", json={"user": "Ann"})).json()["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            assert (await client.get("/me", headers=headers)).status_code == 200
    asyncio.run(main())

def test_websocket():
    with TestClient(app).websocket_connect("/talk") as session:
        session.send_text("hello")
        assert session.receive_text() == "hello"
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A project with an application and its tests."""
    (tmp_path / "members.py").write_text(APP)
    (tmp_path / "test_members.py").write_text(_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run_pytest(folder: pathlib.Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of that project, with the plugin that is in this checkout."""
    plugins = ["-p", "pytest_turbostar", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options],
        cwd=folder,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def lines(folder: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def statuses(folder: pathlib.Path) -> list[int | None]:
    """Verify with what was recorded; the statuses of all answers."""
    options = ["--requests", "out.jsonl", "--json", "found.json", "--no-seed"]
    done = turbostar("verify", "members:app", *options, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((folder / "found.json").read_text())
    return [check["status"] for check in found["checks"]]


def test_clients_are_recorded(folder: pathlib.Path) -> None:
    """All kinds of test clients are recorded, and verify can send the same again."""
    done = run_pytest(folder, "--turbostar-record", "out.jsonl")
    assert done.returncode == 0, done.stdout
    assert f"8 requests recorded in {folder / 'out.jsonl'}" in done.stdout
    assert "redacted: password (1)" in done.stdout
    found = lines(folder)
    assert [line["path"] for line in found] == [
        "/enter",
        "/enter",
        "/",
        "/token",
        "/me",
        "/token",
        "/me",
        "/talk",
    ]
    assert found[0]["jar"] == found[1]["jar"] == found[2]["jar"]
    assert ["authorization", "Bearer {{access_token}}"] in found[4]["headers"]
    assert ["authorization", "Bearer {{access_token_2}}"] in found[6]["headers"]
    assert found[7]["websocket"][0] == {"text": "hello"}
    assert statuses(folder) == [200, 200, 200, 200, 200, 200, 200, None]


def test_recorded_anew(folder: pathlib.Path) -> None:
    """A second run replaces the file; the options for secrets are those of the command."""
    (folder / "out.jsonl").write_text("old\n")
    options = ["--turbostar-keep", "password", "--turbostar-redact", "user"]
    done = run_pytest(folder, "--turbostar-record=out.jsonl", *options, "-k", "form")
    assert done.returncode == 0, done.stdout
    assert lines(folder)[1]["form"][:2] == [["user", "REDACTED"], ["password", "sesame"]]


def test_with_xdist(folder: pathlib.Path) -> None:
    """Workers of pytest-xdist write into one file, and do not mix up values and cookies."""
    pytest.importorskip("xdist")
    done = run_pytest(folder, "--turbostar-record", "out.jsonl", "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "8 requests recorded" in done.stdout
    assert sorted(filter(None, statuses(folder))) == [200] * 7


def test_off_unless_asked_for(folder: pathlib.Path) -> None:
    """Without its option the plugin does nothing, and does not even import turbostar."""
    (folder / "test_members.py").write_text(
        "import sys\n"
        "def test_nothing(): assert not [name for name in sys.modules if 'turbostar.' in name]\n"
    )
    done = run_pytest(folder)
    assert done.returncode == 0, done.stdout
    assert "recorded" not in done.stdout


def test_a_file_that_cannot_be_written(folder: pathlib.Path) -> None:
    """A wrong file is an error of usage, before any test is run."""
    done = run_pytest(folder, "--turbostar-record", "no/out.jsonl")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--turbostar-record no/out.jsonl: No such file or directory; name a file" in done.stderr


def test_the_plugin_is_offered_to_pytest() -> None:
    """The distribution names the plugin under the name of its module, so that -p is no second."""
    root = pathlib.Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["pytest11"].items()
    assert name == value == "pytest_turbostar"
    assert importlib.metadata.EntryPoint(name, value, "pytest11").load().pytest_addoption
