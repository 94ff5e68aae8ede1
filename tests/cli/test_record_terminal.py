"""Recording as a person does it: in a terminal, ended by Ctrl-C."""

from __future__ import annotations

import os
import pathlib
import pty
import re
import subprocess
import sys

import httpx
import pytest

from tests.cli.members import APP

# Opening it makes the terminal the one that Ctrl-C is typed into.
_WITH_TERMINAL = (
    "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)
_CTRL_C = b"\x03"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="terminals differ")
def test_ctrl_c_ends_the_recording(tmp_path: pathlib.Path) -> None:
    """Ctrl-C ends the server, and the terminal shows what was recorded, without a traceback."""
    (tmp_path / "members.py").write_text(APP)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "turbostar", "record", "members:app", "-o", "out.jsonl"]
    process = subprocess.Popen(
        [sys.executable, "-c", _WITH_TERMINAL, *command, "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "60"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = b""
        while (found := re.search(rb"sent to (http://\S+);", shown)) is None:
            shown += os.read(ours, 1 << 16)
        assert httpx.get(f"{found[1].decode()}/").status_code == 401
        os.write(ours, _CTRL_C)
        assert process.wait(60) == 0
        shown += os.read(ours, 1 << 16)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    last = shown.decode().replace("^C", "").split()
    assert " ".join(last).endswith("Ctrl-C ends it 1 request recorded in out.jsonl")
    assert b"Traceback" not in shown
