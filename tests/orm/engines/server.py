"""A PostgreSQL of our own, which may be killed: made in a folder that goes away with it."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from types import TracebackType
from typing import Any, Self

import pytest

__all__ = ["Server"]


def _programs() -> str:
    """The folder of initdb and pg_ctl; skips the test where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return os.path.dirname(found)
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not folders or not os.path.exists(f"{folders[-1]}/initdb"):
        pytest.skip("initdb is not installed: no server of our own to kill")
    return folders[-1]


def _somebody() -> dict[str, Any]:
    """PostgreSQL does not run as root: who it runs as, for subprocess."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no other user")


class Server:
    """A running server with a database ``postgres`` that trusts everybody on this machine."""

    def __init__(self) -> None:
        self._bin = _programs()
        self._as = _somebody()
        self._folder = tempfile.mkdtemp(prefix="turbostar-postgres-")
        if self._as:
            os.chown(self._folder, self._as["user"], self._as["group"])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"postgresql://tester@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Self:
        self._run("initdb", "-D", self._data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return f"{self._folder}/data"

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder}"
            " -c shared_buffers=16MB -c fsync=on"
        )
        self._run(
            "pg_ctl", "-D", self._data, "-w", "-l", f"{self._folder}/log", "-o", options, "start"
        )

    def stop(self, how: str) -> None:
        """By "immediate", a crash, or "fast", which cuts all sessions in order."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", how, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [f"{self._bin}/{program}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            timeout=60,
            check=False,
            **self._as,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
