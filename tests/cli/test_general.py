"""What all sub-commands have in common, tried as a person would: in a terminal, and without one."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from email.message import Message

import pytest
import typer

from turbostar.cli import general
from turbostar.cli.precedence import settle_before

_APP = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def home(request):
    return PlainTextResponse("home")

class Asked(Route):
    def matches(self, scope):
        return super().matches(scope)

app = Starlette(routes=[Route("/", home), Asked("/asked", home)])
"""
_ESCAPE = "\x1b["


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A working directory with an application."""
    (tmp_path / "small.py").write_text(_APP)
    return tmp_path


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    left_out = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TURBOSTAR", "GITHUB_ACTIONS", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "TERM": "xterm-256color", **given}


def piped(
    folder: pathlib.Path, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "turbostar", *arguments],
        cwd=folder,
        env=_environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# A process of its own session takes the terminal, which then sends it what is typed as signals.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def in_terminal(
    folder: pathlib.Path,
    *arguments: str,
    columns: int = 80,
    interrupted_at: pathlib.Path | None = None,
    **environ: str,
) -> tuple[int, str]:
    """Run the command in a terminal of so many columns; its exit status and all that it shows.

    Ctrl-C is typed as soon as the file `interrupted_at` is there.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, "-m", "turbostar", *arguments],
        cwd=folder,
        env=_environment(environ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        if interrupted_at is not None and interrupted_at.exists():
            os.write(ours, b"\x03")
            interrupted_at = None
        if not select.select([ours], [], [], 0.05)[0]:
            continue
        try:
            data = os.read(ours, 1 << 16)
        except OSError:
            break  # Linux's way to say that the other side is closed
        if not data:
            break
        shown += data
    os.close(ours)
    return process.wait(timeout=60), shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["run", "--port", "0"], "interrupted while importing slow:app"),
        (["doctor"], "interrupted"),
        (["bench", "--no-verify"], "interrupted"),
    ],
)
def test_ctrl_c_while_importing(folder: pathlib.Path, command: list[str], message: str) -> None:
    """Ctrl-C in a terminal, while the application is imported, leaves one line."""
    code = "import pathlib, time\npathlib.Path('importing').touch()\ntime.sleep(600)\n"
    (folder / "slow.py").write_text(code)
    status, shown = in_terminal(
        folder, *command, "slow:app", interrupted_at=folder / "importing", NO_COLOR="1"
    )
    assert status == 130
    assert re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).strip() == f"^Cerror: {message}"


def test_colors_follow_the_terminal(folder: pathlib.Path) -> None:
    """There are colours in a terminal and none in a pipe, unless an option says so."""
    green = f"{_ESCAPE}32m"
    assert green in in_terminal(folder, "doctor", "small:app")[1]
    assert green not in in_terminal(folder, "doctor", "small:app", NO_COLOR="1")[1]
    assert green not in in_terminal(folder, "--color", "never", "doctor", "small:app")[1]
    assert green not in in_terminal(folder, "doctor", "small:app", TURBOSTAR_COLOR="never")[1]
    assert _ESCAPE not in piped(folder, "doctor", "small:app").stdout
    assert green in piped(folder, "doctor", "small:app", "--color", "always").stdout
    assert green in piped(folder, "--color=always", "doctor", "small:app", NO_COLOR="1").stdout


def test_progress_is_for_terminals(folder: pathlib.Path) -> None:
    """A bar moves in a terminal; into a pipe nothing is drawn, in colours or not."""
    assert f"{_ESCAPE}?25l" in in_terminal(folder, "verify", "small:app")[1]
    quick = ["--rounds", "1", "--restarts", "1", "--duration", "0.2", "--connections", "1"]
    for command in (["verify"], ["bench", *quick]):
        done = piped(folder, *command, "small:app", "--color", "always")
        assert done.returncode == 0, done.stderr
        assert _ESCAPE in done.stdout
        for moving in (f"{_ESCAPE}?25l", f"{_ESCAPE}2K", f"{_ESCAPE}1A", "\r"):
            assert moving not in done.stderr
        forced = piped(folder, *command, "small:app", FORCE_COLOR="1").stderr
        assert forced.count("\n") == done.stderr.count("\n") < 3


@pytest.mark.parametrize(
    "arguments", [["--help"], ["bench", "--help"], ["verify", "-h"], ["bench"]]
)
def test_sixty_columns(folder: pathlib.Path, arguments: list[str]) -> None:
    """Help keeps to a narrow terminal; an error is one line for it to wrap."""
    status, shown = in_terminal(folder, *arguments, columns=60, NO_COLOR="1")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    if arguments == ["bench"]:
        assert status == 2
        assert lines == ["error: Missing argument 'MODULE:APP'; see turbostar bench --help"]
    else:
        assert status == 0
        assert max(map(len, lines)) <= 60


def test_quiet_shows_errors_alone(folder: pathlib.Path) -> None:
    """-q leaves the exit status and errors, before the sub-command or after it; JSON is written."""
    for arguments in (["-q", "routes", "small"], ["routes", "small", "--quiet"]):
        done = piped(folder, *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = piped(folder, "doctor", "-q", "small", "--json", "-")
    assert done.stderr == ""
    assert json.loads(done.stdout)["mode"] == "installed"
    done = piped(folder, "verify", "-q", "small")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = piped(folder, "-q", "routes", "small:ap")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: small:ap: module 'small' has no attribute 'ap'")


def test_standard_output_that_cannot_be_written(folder: pathlib.Path) -> None:
    """A full disk ends it with one line, and not with a traceback."""
    full = pathlib.Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "turbostar", "routes", "small", "--json", "-"],
            cwd=folder,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors == [
        "error: standard output: No space left on device; give a writable file to --json"
    ]
    assert "Traceback" not in done.stderr


def test_verbose_tells_where_an_error_comes_from(folder: pathlib.Path) -> None:
    """-v shows the traceback above the error, and turbostar's log."""
    (folder / "broken.py").write_text("raise RuntimeError('no settings')\n")
    assert "Traceback" not in piped(folder, "routes", "broken:app").stderr
    shown = piped(folder, "-v", "routes", "broken:app").stderr
    assert "Traceback" in shown
    assert shown.splitlines()[-1].startswith("error: broken:app: importing it raised RuntimeError")
    logged = piped(folder, "doctor", "-v", "small", TURBOSTAR_DISABLE="1").stderr
    assert "turbostar: TURBOSTAR_DISABLE is set: Starlette stays stock" in logged


def test_options_in_the_environment(folder: pathlib.Path) -> None:
    """TURBOSTAR_COMMAND_OPTION gives an option, and an error says where it comes from."""
    assert json.loads(piped(folder, "routes", "small", TURBOSTAR_ROUTES_JSON="-").stdout)
    shown = piped(folder, "bench", "small", TURBOSTAR_BENCH_ROUNDS="many").stderr
    assert re.fullmatch(
        r"error: Invalid value for '--rounds': .* \(from the environment\); see .*\n", shown
    )


def test_options_in_pyproject(folder: pathlib.Path) -> None:
    """[tool.turbostar] names the application and gives options; the command line wins."""
    (folder / "pyproject.toml").write_text(
        '[tool.turbostar]\napp = "small:app"\nignore-header = ["x-id"]\n'
        '[tool.turbostar.routes]\njson = "-"\n'
        '[tool.turbostar.bench]\nrounds = "many"\nverify = false\n'
    )
    assert [route["path"] for route in json.loads(piped(folder, "routes").stdout)] == [
        "/",
        "/asked",
    ]
    assert piped(folder, "routes", "--json", "list.json").stdout.startswith("Kind")
    assert "(from pyproject.toml)" in piped(folder, "bench").stderr
    assert "Missing argument" in piped(folder, "routes", TURBOSTAR_PYPROJECT="").stderr


def test_the_application_in_the_environment(folder: pathlib.Path) -> None:
    """TURBOSTAR_COMMAND_APP names the application; the command line wins, then comes this."""
    (folder / "pyproject.toml").write_text('[tool.turbostar]\napp = "none:app"\n')
    done = piped(folder, "routes", "--json", "-", TURBOSTAR_ROUTES_APP="small:app")
    assert [route["path"] for route in json.loads(done.stdout)] == ["/", "/asked"]
    assert piped(folder, "verify", TURBOSTAR_VERIFY_APP="small").returncode == 0
    shown = piped(folder, "verify", "other:app", TURBOSTAR_VERIFY_APP="small").stderr
    assert "there is no module 'other'" in shown
    (folder / "wired.py").write_text("from turbostar.di import Container\ndi = Container()\n")
    assert piped(folder, "di", TURBOSTAR_DI_CONTAINER="wired:di").returncode == 0


_BRIEF = ["--restarts", "1", "--connections", "1", "--no-verify", "--json", "-"]


@pytest.mark.parametrize(
    ("file", "environ", "arguments", "rounds"),
    [
        ("quick = true", {}, ["--rounds", "1", "--duration", "0.2"], 1),
        ("quick = true\nduration = 0.2", {"TURBOSTAR_BENCH_ROUNDS": "1"}, [], 1),
        ("rounds = 100", {"TURBOSTAR_BENCH_QUICK": "1"}, ["--rounds", "1", "--duration", "0.2"], 1),
        ("quick = true", {}, ["--rounds", "1", "--quick"], None),
        ("quick = true\nrounds = 1", {}, [], None),
    ],
)
def test_options_that_exclude_each_other(
    folder: pathlib.Path,
    file: str,
    environ: dict[str, str],
    arguments: list[str],
    rounds: int | None,
) -> None:
    """The stronger source wins, across options that exclude each other, too."""
    (folder / "pyproject.toml").write_text(f"[tool.turbostar.bench]\n{file}\n")
    done = piped(folder, "bench", "small", *_BRIEF, *arguments, **environ)
    if rounds is None:
        assert done.returncode == 2
        assert done.stderr.startswith("error: --quick and --rounds exclude each other")
    else:
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["settings"]["rounds"] == rounds


def test_quick_beats_the_rounds_of_a_file() -> None:
    """What gives way is as if it had not been given."""
    for arguments, file, expected in (
        (["--quick"], {"rounds": "9"}, [True, None]),
        (["--rounds", "3"], {"quick": True}, [False, 3]),
        ([], {"quick": True, "rounds": "9"}, [True, 9]),
        ([], {}, [False, None]),
    ):
        settle_before(command := typer.main.get_command(_exclusive()), ("quick",), ("rounds",))
        found = command.main(arguments, standalone_mode=False, default_map=file)
        assert found == expected


def _exclusive() -> typer.Typer:
    app = typer.Typer(add_completion=False)

    @app.command()
    def command(
        quick: bool = typer.Option(False, "--quick"),
        rounds: int | None = typer.Option(None),
    ) -> list[object]:
        return [quick, rounds]

    return app


def test_recording_a_har_file_beside_an_application(folder: pathlib.Path) -> None:
    """--from-har takes the place of an application that the file names, and the other way round."""
    (folder / "pyproject.toml").write_text('[tool.turbostar]\napp = "small:app"\n')
    entry = {"request": {"method": "GET", "url": "http://a.example/x", "headers": []}}
    (folder / "saved.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    done = piped(folder, "record", "--from-har", "saved.har", "--output", "out.jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 request recorded" in done.stderr
    text = '[tool.turbostar.record]\nfrom-har = "saved.har"\norigin = "http://a"\n'
    (folder / "pyproject.toml").write_text(text)
    done = piped(folder, "record", "none:app", "--output", "new.jsonl")
    assert "there is no module 'none'" in done.stderr


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("nonsense", "pyproject.toml: cannot be read"),
        ("[tool.turbostar]\nap = 1", "has the key 'ap', which is no option; did you mean 'app'?"),
        ("[tool.turbostar.routes]\njsn = '-'", "[tool.turbostar.routes] has the key 'jsn'"),
        ("[tool.turbostar]\nroutes = 1", "write [tool.turbostar.routes]"),
        ("[tool]\nturbostar = 1", "tool.turbostar must be a table; write [tool.turbostar]"),
        ("[tool.turbostar.routes]\nfactory = 'yes'", "factory is a switch; write true or false"),
        ("[tool.turbostar.routes]\njson = ['a']", "json takes one value"),
    ],
)
def test_mistakes_in_pyproject(folder: pathlib.Path, text: str, cause: str) -> None:
    """What cannot be an option is told in one line."""
    (folder / "pyproject.toml").write_text(text)
    done = piped(folder, "routes", "small")
    assert done.returncode == 2
    assert done.stderr.startswith("error: pyproject.toml: ")
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_pyproject_that_is_not_there(folder: pathlib.Path) -> None:
    """A file that the environment names must exist."""
    shown = piped(folder, "routes", "small", TURBOSTAR_PYPROJECT="other.toml").stderr
    assert shown == "error: other.toml: no such file; correct TURBOSTAR_PYPROJECT\n"


def test_run_prefers_the_command_line(folder: pathlib.Path) -> None:
    """An address of the command line beats a socket of the file, and -q its log level."""
    text = '[tool.turbostar.run]\nuds = "no/such/folder"\nlog-level = "debug"\nuse-colors = true\n'
    (folder / "pyproject.toml").write_text(text)
    assert "cannot serve on the socket" in piped(folder, "run", "small").stderr
    assert "cannot serve on 127.0.0.1:70001" in (
        piped(folder, "run", "small", "--port", "70001").stderr
    )
    (folder / "broken.py").write_text(
        "import contextlib\nfrom starlette.applications import Starlette\n"
        "@contextlib.asynccontextmanager\n"
        "async def lifespan(app):\n    raise OSError\n    yield\n"
        "app = Starlette(lifespan=lifespan)\n"
    )
    arguments = ["broken", "--port", "0"]
    done = piped(folder, "-q", "run", *arguments, "--color", "never")
    assert done.stderr.startswith("ERROR:    Traceback")
    assert f"{_ESCAPE}32mINFO" in piped(folder, "run", *arguments).stderr


def test_run_takes_them_too(folder: pathlib.Path) -> None:
    """uvicorn's options may stand in pyproject.toml as well."""
    text = '[tool.turbostar]\napp = "small"\n[tool.turbostar.run]\nport = 70000\n'
    (folder / "pyproject.toml").write_text(text)
    assert "cannot serve on 127.0.0.1:70000" in piped(folder, "run").stderr
    assert "cannot serve on 127.0.0.1:70001" in piped(folder, "run", "--port", "70001").stderr


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("turbostar ", {"run", "verify", "bench", "doctor", "routes"}),
        ("turbostar bench --ro", {"--rounds"}),
        ("turbostar run --por", {"--port"}),
        ("turbostar verify --col", {"--color"}),
    ],
)
def test_completion(folder: pathlib.Path, words: str, found: set[str]) -> None:
    """A shell gets the names of sub-commands and their options, uvicorn's too."""
    count = len(words.split()) - (not words.endswith(" "))
    done = piped(
        folder,
        _TURBOSTAR_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(count),
    )
    assert found <= set(done.stdout.split())


def test_the_address_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one in the package's metadata, or else where the files are."""
    metadata = Message()
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: metadata)
    assert general.documentation() == "docs/ in the source distribution"
    metadata["Project-URL"] = "Source, https://source.example"
    metadata["Project-URL"] = "Documentation, https://docs.example"
    assert general.documentation() == "https://docs.example"
