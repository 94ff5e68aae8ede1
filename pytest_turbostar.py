"""A pytest plugin that records what test clients send: `pytest --turbostar-record FILE`.

It is a module of its own, and imports turbostar only when it is asked to record: pytest imports
the plugins of all installed packages, and turbostar is to be first or last as its user wants it.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from turbostar.cli.record.lines import Recording

_OPTION = "--turbostar-record"
_KEEP = "--turbostar-keep"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup("turbostar", "recording requests for turbostar verify and bench")
    group.addoption(
        _OPTION,
        metavar="FILE",
        help="write what TestClient and httpx's ASGITransport send into this file, anew",
    )
    group.addoption(
        "--turbostar-redact",
        metavar="NAME",
        action="append",
        default=[],
        help="leave out values of this name, too (repeatable)",
    )
    group.addoption(
        _KEEP,
        metavar="NAME",
        action="append",
        default=[],
        help="write values of this name as they are, secrets or not (repeatable)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, if that is asked for."""
    given = config.getoption(_OPTION)
    if given is None:
        return
    path = pathlib.Path(os.path.abspath(given))
    worker = getattr(config, "workerinput", None)
    if worker is None:
        # Workers of pytest-xdist get the options from here, and may have another directory.
        config.option.turbostar_record = str(path)
        try:
            path.write_bytes(b"")
        except OSError as exc:
            raise pytest.UsageError(
                f"{_OPTION} {given}: {exc.strerror or exc}; name a file that can be written"
            ) from exc
    name = "" if worker is None else f"{worker['workerid']}-"
    config.pluginmanager.register(_Recorder(config, path, name), "turbostar-recorder")


class _Recorder:
    """Records from the start of the session to its end, then writes."""

    def __init__(self, config: pytest.Config, path: pathlib.Path, prefix: str) -> None:
        from turbostar.cli.record.clients import recorded_clients
        from turbostar.cli.record.lines import Recording

        self._path = path
        self._remarks: list[str] = []
        self._recording: Recording = Recording(
            None,
            add=config.getoption("--turbostar-redact"),
            keep=config.getoption(_KEEP),
            prefix=prefix,
        )
        self._clients = contextlib.ExitStack()
        self._clients.enter_context(recorded_clients(self._recording))

    def pytest_sessionfinish(self) -> None:
        """Append the requests: each worker of pytest-xdist has some of them."""
        self._clients.close()
        with self._path.open("a", encoding="utf-8") as file:
            file.write(self._recording.text())

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what has been recorded."""
        count = len(self._path.read_bytes().splitlines())
        terminalreporter.section("turbostar")
        plural = "" if count == 1 else "s"
        terminalreporter.line(f"{count} request{plural} recorded in {self._path}")
        for line in self._recording.remarks():
            terminalreporter.line(line)
        if self._recording.has_left_out:
            terminalreporter.line(f"{_KEEP} NAME writes values of that name as they are")
