"""What connections cost: their memory while idle, system calls, and latency below saturation.

``python -m benchmarks.connections`` measures the raw ASGI function on uvicorn's protocol class and
on turbostar's, in turn. Linux only; system calls are counted where strace is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.server_processes import HOST, ServerProcess, cores, start
from turbostar.cli.bench.processes import Processes
from turbostar.cli.errors import UserError
from turbostar.cli.signals import ended_by_signals

__all__ = ["main"]

SIDES = {"uvicorn": "raw", "turbostar": "raw@turbostar.server"}
_REQUEST = b"GET / HTTP/1.1\r\nhost: testserver\r\nuser-agent: benchmark\r\naccept: */*\r\n\r\n"
_BODY = b'{"hello":"world"}'
_LOAD = 0.7  # of what the server answers at most
_CONNECTIONS = 32


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks.connections", description=__doc__)
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections (10,000)")
    parser.add_argument("--requests", type=int, default=5_000, help="traced by strace (5,000)")
    parser.add_argument("--rounds", type=int, default=5, help="of latency (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one round (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args(arguments)
    try:
        with ended_by_signals(), Processes() as processes, cores() as (server_cores, _):
            found = {
                "memory": _memory(processes, server_cores, options.idle),
                "calls": _calls(processes, server_cores, options.requests),
                "p99_ms": _latencies(processes, server_cores, options.rounds, options.seconds),
            }
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for line in _lines(found):
        sys.stdout.write(f"{line}\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for side in SIDES:
        calls = found["calls"].get(side)
        told = "strace is not installed" if calls is None else _told(calls)
        p99 = found["p99_ms"][side]
        yield f"{side}: {found['memory'][side]:,.0f} bytes for an idle connection"
        yield f"{side}: system calls for a request: {told}"
        yield (
            f"{side}: p99 at {_LOAD:.0%} of saturation {statistics.median(p99):.2f} ms "
            f"({min(p99):.2f}..{max(p99):.2f})"
        )


def _told(calls: dict[str, float]) -> str:
    return ", ".join(f"{count:.2f} {name}" for name, count in calls.items())


# Memory.


def _memory(processes: Processes, on: Sequence[int], wanted: int) -> dict[str, float]:
    """Bytes of resident memory for each connection that has been answered and waits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(wanted, most - 200)
    found = {}
    for side, application in SIDES.items():
        server = start(processes, application, on, "--timeout-keep-alive", "3600")
        with _connected(server, 32) as clients:
            for _ in range(50):
                _ask_all(clients)
        before = _resident(server)
        with _connected(server, count) as clients:
            _ask_all(clients)
            found[side] = (_resident(server) - before) / count
        processes.stop(server.process)
    return found


@contextlib.contextmanager
def _connected(server: ServerProcess, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((HOST, server.port), timeout=30))
            for _ in range(count)
        ]


def _ask_all(clients: Sequence[socket.socket]) -> None:
    for client in clients:
        client.sendall(_REQUEST)
        answer = b""
        while not answer.endswith(_BODY):  # which uvicorn's class sends by itself
            received = client.recv(65536)
            if not received:
                raise UserError(f"a wrong answer, {answer[:80]!r}; run the tests")
            answer += received


def _resident(server: ServerProcess) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        raise UserError("the system does not tell how much memory a process has")
    return int(found[1]) * 1024


# System calls.


def _calls(processes: Processes, on: Sequence[int], count: int) -> dict[str, dict[str, float]]:
    """System calls for one request of one connection, by name."""
    if shutil.which("strace") is None:
        return {}
    found = {}
    for side, application in SIDES.items():
        server = start(processes, application, on)
        with _connected(server, 1) as clients:
            for _ in range(100):
                _ask_all(clients)
            trace = ["strace", "-f", "-c", "-U", "name,calls", "-p", str(server.process.pid)]
            tracer = subprocess.Popen(trace, stderr=subprocess.PIPE, text=True)
            time.sleep(1.0)
            for _ in range(count):
                _ask_all(clients)
            tracer.send_signal(2)
            _, told = tracer.communicate()
        processes.stop(server.process)
        numbers = re.findall(r"^\s*(\w+)\s+(\d+)\s*$", told, re.MULTILINE)
        calls = {name: int(number) / count for name, number in numbers if name != "total"}
        found[side] = {name: each for name, each in calls.items() if each >= 0.05}
    return found


# Latency.


def _latencies(
    processes: Processes, on: Sequence[int], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """The 99th percentile in milliseconds, round by round, at the same rate for both sides."""
    servers = {side: start(processes, name, on) for side, name in SIDES.items()}
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(rounds):
        fastest = _saturation(servers["uvicorn"], seconds / 2)
        order = list(SIDES) if number % 2 else list(SIDES)[::-1]
        for side in order:
            waits = _at_rate(servers[side], _LOAD * fastest, seconds)
            found[side].append(sorted(waits)[int(len(waits) * 0.99)] * 1e3)
    processes.stop(*[server.process for server in servers.values()])
    return found


def _saturation(server: ServerProcess, seconds: float) -> float:
    """Requests a second that all connections together get answered at most."""
    with _connected(server, _CONNECTIONS) as clients, select.epoll() as ready:
        by_number = {client.fileno(): client for client in clients}
        for client in clients:
            ready.register(client, select.EPOLLIN)
            client.sendall(_REQUEST)
        done, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            for number, _ in ready.poll(1.0):
                if by_number[number].recv(65536).endswith(_BODY):
                    by_number[number].sendall(_REQUEST)
                    done += 1
        return done / (time.perf_counter() - begin)


def _at_rate(server: ServerProcess, rate: float, seconds: float) -> list[float]:
    """The seconds from when each request was due until its answer came."""
    waits: list[float] = []
    with _connected(server, _CONNECTIONS) as clients, select.epoll() as ready:
        by_number = {client.fileno(): client for client in clients}
        for client in clients:
            ready.register(client, select.EPOLLIN)
        free, due_of = list(clients), dict.fromkeys(clients, 0.0)
        begin = time.perf_counter()
        due = begin
        while due < begin + seconds or len(free) < _CONNECTIONS:
            now = time.perf_counter()
            while free and due <= now and due < begin + seconds:
                client = free.pop()
                due_of[client] = due
                client.sendall(_REQUEST)
                due += 1 / rate
            if now > begin + seconds + 30:
                raise UserError("the server does not answer")
            for number, _ in ready.poll(max(0.0, min(due - now, 0.01)) if free else 0.01):
                client = by_number[number]
                if client.recv(65536).endswith(_BODY):
                    waits.append(time.perf_counter() - due_of[client])
                    free.append(client)
    return waits


if __name__ == "__main__":
    sys.exit(main())
