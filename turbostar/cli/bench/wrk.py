"""wrk as the load generator, driven by a Lua script made from the requests."""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence

import msgspec

from turbostar.cli.bench.connection import LoadError
from turbostar.cli.bench.exchange import Exchange
from turbostar.cli.bench.frames import Done, Run
from turbostar.cli.bench.processes import Process, Processes
from turbostar.cli.errors import UserError

__all__ = ["WrkGenerator", "lua_script", "lua_string", "require_wrk"]

_TICK = 0.1
_MARK = "turbostar-result "


class _Report(msgspec.Struct, frozen=True):
    """What the script prints at the end."""

    requests: int
    microseconds: float
    p50: float
    p99: float
    failed: int
    wrong: int


def require_wrk() -> str:
    """The path of wrk.

    Raises:
        UserError: it is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise UserError("wrk is not on PATH; install it, or leave out --wrk to use our own load")
    return path


class WrkGenerator:
    """Runs wrk, which tells answers apart less well than our own load process.

    wrk does not say which request an answer belongs to: an answer is right if it is the answer
    to any request of the mix. HEAD requests are left out, for it waits for their bodies.
    """

    def __init__(self, processes: Processes, cores: Sequence[int]) -> None:
        self._path = require_wrk()
        self._processes = processes
        self._cores = cores
        self._plans: dict[str, tuple[Exchange, ...]] = {}
        self._run: Run | None = None

    def plan(self, name: str, exchanges: Sequence[Exchange]) -> None:
        """Make known the exchanges with one server."""
        self._plans[name] = tuple(exchanges)

    def prepare(self, run: Run) -> None:
        """Remember what the next round is to be."""
        self._run = run

    def go(self, tick: Callable[[], None]) -> Done:
        """Run wrk.

        Raises:
            LoadError: an answer was wrong or missing.
            UserError: no request of the mix is one that wrk can send, or wrk failed.
        """
        assert self._run is not None
        run = self._run
        plan = self._plans[run.plan]
        exchanges = [plan[index] for index in run.picked if not plan[index].to_head]
        if not exchanges:
            raise UserError("a mix has only HEAD requests, which wrk cannot send; leave out --wrk")
        with tempfile.TemporaryDirectory(prefix="turbostar-wrk-") as folder:
            script = pathlib.Path(folder) / "load.lua"
            script.write_bytes(lua_script(exchanges))
            process = self._processes.start(
                "wrk", self._command(run, script), environment=os.environ, cores=self._cores
            )
            while not process.ended(within=_TICK):
                tick()
        report = _report(process)
        self._processes.stop(process)
        return _done(report, exchanges)

    def _command(self, run: Run, script: pathlib.Path) -> list[str]:
        # wrk takes whole seconds only.
        return [
            self._path,
            "--threads=1",
            f"--connections={run.connections}",
            f"--duration={max(1, round(run.seconds))}s",
            f"--timeout={round(run.timeout)}s",
            f"--script={script}",
            f"http://{run.host}:{run.port}",
        ]


def _report(process: Process) -> _Report:
    for line in process.log.read_text(errors="replace").splitlines():
        if line.startswith(_MARK):
            return msgspec.json.decode(line[len(_MARK) :], type=_Report)
    raise UserError(f"wrk printed no result ({process.fate()}); leave out --wrk to do without it")


def _done(report: _Report, exchanges: Sequence[Exchange]) -> Done:
    name = exchanges[0].name if len(exchanges) == 1 else f"one of {len(exchanges)} requests"
    if report.failed or not report.requests:
        cause = f"wrk counted {report.failed} failed connections in {report.requests} requests"
        raise LoadError(name, cause, missing=True)
    if report.wrong:
        cause = f"{report.wrong} answers are not among those expected"
        raise LoadError(name, cause, missing=False)
    return Done(
        requests=report.requests,
        seconds=report.microseconds / 1e6,
        p50=report.p50 / 1e6,
        p99=report.p99 / 1e6,
    )


def lua_string(data: bytes) -> bytes:
    """The bytes as a Lua string literal, every one of them escaped."""
    return b'"' + b"".join(b"\\%03d" % byte for byte in data) + b'"'


def lua_script(exchanges: Sequence[Exchange]) -> bytes:
    """The script for wrk: send these requests in turn, and count the answers that are none."""
    requests = b",\n".join(lua_string(b"".join(exchange.pieces)) for exchange in exchanges)
    expected = b"\n".join(_lua_expected(exchange) for exchange in exchanges)
    return _SCRIPT % (requests, expected)


def _lua_expected(exchange: Exchange) -> bytes:
    status = exchange.expected.status
    if exchange.expected.body is None:
        return b"any[%d] = true" % status
    return b"known[%d .. %b] = true" % (status, lua_string(b":" + exchange.expected.body))


_SCRIPT = b"""\
local requests = {
%b
}
local known, any = {}, {}
%b
local position = 0
local threads = {}
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function request()
  position = position %% #requests + 1
  return requests[position]
end

function response(status, headers, body)
  if not any[status] and not known[status .. ":" .. body] then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local errors, bad = summary.errors, 0
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("wrong")
  end
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  local form = '{"requests":%%d,"microseconds":%%d,"p50":%%.1f,"p99":%%.1f,' ..
    '"failed":%%d,"wrong":%%d}'
  print("turbostar-result " .. string.format(form, summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed, bad))
end
"""
