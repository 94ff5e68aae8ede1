"""What verify and bench send: nothing that changes anything, unless they are asked to."""

from __future__ import annotations

import json
import pathlib

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from tests.cli.commands import in_terminal, turbostar
from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.unsafe import count_and_methods, unsafe_note
from turbostar.cli.verify.derive import derive_requests

# Each request that reaches a handler leaves a line in a file, as a table would be changed.
_NOTES = """
import pathlib
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TABLE = pathlib.Path("table")

async def read(request):
    return JSONResponse(["note"])

async def write(request):
    with TABLE.open("a") as file:
        file.write(request.method + "\\n")
    return Response(status_code=204)

app = Starlette(routes=[
    Route("/notes", read),
    Route("/notes", write, methods=["POST", "PUT"]),
    Route("/notes/{id:int}", write, methods=["DELETE", "PATCH"]),
])
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with an application that says whether it was changed, and requests to it."""
    (tmp_path / "notes.py").write_text(_NOTES)
    lines = [
        {"path": "/notes"},
        {"path": "/notes", "method": "PUT", "bench": False},
        {"path": "/notes/1", "method": "DELETE", "bench": False},
        {"path": "/notes", "method": "POST"},
    ]
    (tmp_path / "requests.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def changes(folder: pathlib.Path) -> list[str]:
    table = folder / "table"
    return sorted(table.read_text().split()) if table.exists() else []


def test_derived_requests_change_nothing(folder: pathlib.Path) -> None:
    """Without being asked, verify sends GET, HEAD and OPTIONS, and says what it has left out."""
    done = turbostar("verify", "notes:app", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert changes(folder) == []
    left_out = (
        "5 derived POST, PUT, PATCH and DELETE requests not sent; --unsafe-methods sends them"
    )
    assert left_out in done.stdout


def test_unsafe_methods_are_sent_when_asked_for(folder: pathlib.Path) -> None:
    """`--unsafe-methods` says first that it sends them, and does."""
    done = turbostar("verify", "notes:app", "--unsafe-methods", cwd=folder)
    assert done.returncode == 0
    assert done.stderr == (
        "sends 5 derived POST, PUT, PATCH and DELETE requests (1 POST, 1 PUT, 1 PATCH, 2 DELETE), "
        "three times each (four if an answer differs)\n"
    )
    assert changes(folder) == ["DELETE"] * 3 + ["PATCH"] * 3 + ["POST"] * 3 + ["PUT"] * 3
    assert "not sent" not in done.stdout


def test_a_request_file_is_announced(folder: pathlib.Path) -> None:
    """A request file is sent as it is written, after a line with the true numbers."""
    done = turbostar("verify", "notes:app", "--requests", "requests.jsonl", cwd=folder)
    assert done.returncode == 0
    assert done.stderr == (
        "sends 3 POST, PUT and DELETE requests, three times each (four if an answer differs)\n"
    )
    assert changes(folder) == ["DELETE"] * 3 + ["POST"] * 3 + ["PUT"] * 3


def test_the_announcement_counts_what_is_used(folder: pathlib.Path) -> None:
    """With `--limit` only the requests that are left are counted; a GET is not announced."""
    options = ["verify", "notes:app", "--requests", "requests.jsonl", "--limit"]
    done = turbostar(*options, "2", cwd=folder)
    assert done.stderr.startswith("sends 1 PUT request, three times each")
    assert changes(folder) == ["PUT"] * 3
    assert turbostar(*options, "1", cwd=folder).stderr == ""


def test_the_announcement_is_the_first_line_of_a_terminal(folder: pathlib.Path) -> None:
    """In a terminal the line comes before the progress bar."""
    status, shown = in_terminal("verify", "notes:app", "--requests", "requests.jsonl", cwd=folder)
    assert status == 0
    assert shown.splitlines()[0].startswith("sends 3 POST, PUT and DELETE requests, three times")
    assert "compared in full" in shown


def test_bench_derives_nothing_that_changes_anything(folder: pathlib.Path) -> None:
    """`bench` verifies first, and does not send more for that than verify does."""
    options = ["--rounds", "1", "--restarts", "1", "--duration", "0.3", "--connections", "1"]
    done = turbostar("bench", "notes:app", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert changes(folder) == []
    assert "5 derived POST, PUT, PATCH and DELETE requests not sent" in done.stderr


def test_unusual_methods_are_announced(tmp_path: pathlib.Path) -> None:
    """Any method that is not known to be safe is counted and named, in bench as in verify."""
    (tmp_path / "cache.py").write_text(_NOTES.replace('["POST", "PUT"]', '["PURGE", "LINK"]'))
    done = turbostar("verify", "cache:app", cwd=tmp_path)
    assert "derived PATCH, DELETE, LINK and PURGE requests not sent" in done.stdout
    options = ["--rounds", "1", "--restarts", "1", "--duration", "0.3", "--connections", "1"]
    for command in (["verify"], ["bench", *options]):
        (tmp_path / "table").unlink(missing_ok=True)
        done = turbostar(*command, "cache:app", "--unsafe-methods", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(
            "sends 5 derived PATCH, DELETE, LINK and PURGE requests "
            "(1 PATCH, 2 DELETE, 1 LINK, 1 PURGE), three times each"
        )
        assert changes(tmp_path) == ["DELETE"] * 3 + ["LINK"] * 3 + ["PATCH"] * 3 + ["PURGE"] * 3


def test_bench_announces_what_it_sends(folder: pathlib.Path) -> None:
    """`bench` says how often it sends what changes something, and that is how often it does."""
    options = ["--rounds", "1", "--restarts", "1", "--duration", "0.3", "--connections", "1"]
    done = turbostar(
        "bench", "notes:app", "--requests", "requests.jsonl", *options, "--mix", "all", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert first == (
        "sends 3 POST, PUT and DELETE requests, three times each to verify; sends 1 POST request, "
        "10 times each to learn and check the answers; and 1 POST request again and again as load"
    )
    found = changes(folder)
    assert (found.count("PUT"), found.count("DELETE")) == (3, 3)
    assert found.count("POST") > 3 + 10


@pytest.mark.parametrize("command", ["verify", "bench"])
def test_help_says_what_is_sent(command: str, tmp_path: pathlib.Path) -> None:
    """`--help` of both says what is sent without being asked for."""
    shown = " ".join(turbostar(command, "--help", cwd=tmp_path).stdout.replace("│", " ").split())
    assert "GET, HEAD and OPTIONS" in shown
    assert "--unsafe-methods" in shown


def test_derived_requests_prefer_what_is_safe() -> None:
    """The method that a route has not is one that changes nothing, if there is one."""

    def endpoint(request: object) -> None:
        """Never called."""

    routes = [Route("/a", endpoint, methods=["OPTIONS"]), Route("/b", endpoint)]
    found, notes = derive_requests(Starlette(routes=routes), unsafe=True)
    assert {one.method for one in found} == {"GET", "HEAD", "OPTIONS"}
    assert notes == []


def test_counting() -> None:
    """Methods are told in their usual order; websocket sessions and safe methods are no changes."""
    methods = ("DELETE", "GET", "PURGE", "POST", "OPTIONS", "DELETE")
    requests = [RecordedRequest(name=one, method=one, path="/") for one in methods]
    requests.append(RecordedRequest(name="ws", method="POST", path="/", websocket=()))
    assert unsafe_note(requests, "twice each") == (
        "sends 4 POST, DELETE and PURGE requests (1 POST, 2 DELETE, 1 PURGE), twice each"
    )
    assert unsafe_note(requests[1:2], "twice each") is None
    assert count_and_methods(requests[:1]) == "1 DELETE request"
