"""The benchmark: fresh servers, warm-up, and rounds in which A and B take turns."""

from __future__ import annotations

import collections
import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from turbostar.cli.bench.connection import LoadError
from turbostar.cli.bench.environment import usable_cores
from turbostar.cli.bench.frames import Done, Run
from turbostar.cli.bench.generator import Generator, LoadGenerator
from turbostar.cli.bench.plan import Measured, Plan, Progress
from turbostar.cli.bench.processes import Processes
from turbostar.cli.bench.reference import PASS_TIMEOUT, Note, Reference, both_passes, replayed
from turbostar.cli.bench.results import Sample, compare
from turbostar.cli.bench.serial import MissingAnswer, SerialAnswer
from turbostar.cli.bench.servers import Server, Side, start_server
from turbostar.cli.bench.wrk import WrkGenerator
from turbostar.cli.errors import UserError

__all__ = ["WrongAnswer", "expected_seconds", "measure"]

_MIB = 1 << 20
_WARM_UP = 1.0  # seconds at most, for each mix on each new server
_SHORTEST = 0.2  # seconds of a round, however many have to fit into a budget
_TRIAL = 1.0  # seconds of load on stock that show which answers vary under load


class WrongAnswer(UserError):
    """A server answered wrongly, or not at all, under load."""


def expected_seconds(plan: Plan, mixes: int, seconds: float, start: float) -> float:
    """How long all rounds take, roughly, with the starts of their servers.

    Args:
        plan: what is measured.
        mixes: how many there are.
        seconds: of a round.
        start: seconds from the start of a server until it has answered every request twice.
    """
    generation = start + mixes * _warm_up(seconds)
    return 2 * (plan.restarts * generation + plan.rounds * mixes * seconds)


def measure(plan: Plan, progress: Progress) -> Measured:
    """Run the benchmark.

    Raises:
        WrongAnswer: a server gave a wrong answer, or none.
        UserError: a server could not be started or ended early, or the plan asks for something
            that is not there.
    """
    with Processes() as processes, _cores(plan.pin) as (server_cores, load_cores):
        return _Benchmark(plan, progress, processes, server_cores, load_cores).run()


@contextlib.contextmanager
def _cores(pin: bool) -> Iterator[tuple[list[int], list[int]]]:
    """The cores for the servers and for the load; this process moves to the latter."""
    before = usable_cores()
    if not pin or len(before) < 2:
        yield [], []
        return
    os.sched_setaffinity(0, before[-1:])
    try:
        yield before[:1], before[-1:]
    finally:
        os.sched_setaffinity(0, before)


class _Benchmark:
    def __init__(
        self,
        plan: Plan,
        progress: Progress,
        processes: Processes,
        server_cores: Sequence[int],
        load_cores: Sequence[int],
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._processes = processes
        self._server_cores = server_cores
        self._generator: Generator = LoadGenerator(processes, load_cores)
        self._load_cores = load_cores
        ignored = [name.lower().encode("latin-1") for name in plan.ignored_headers]
        self._reference = Reference(replayed(plan.requests), ignored)
        self._answers = 0
        self._starts: list[float] = []
        self._shutdown: str | None = None
        self._names: list[str] = []
        self._hung_up: dict[Side, collections.Counter[int]] = {
            side: collections.Counter() for side in Side
        }

    def run(self) -> Measured:
        self._learn()
        mixes = self._reference.mixes(self._plan.mixes)
        seconds = self._round_seconds(len(mixes))
        start = sum(self._starts) / len(self._starts)
        self._progress.expect(expected_seconds(self._plan, len(mixes), seconds, start))
        if self._plan.wrk:
            self._generator = WrkGenerator(self._processes, self._load_cores)
        samples: dict[tuple[str, Side], list[Sample]] = {
            (mix, side): [] for mix in mixes for side in Side
        }
        done = 0
        for generation, rounds in enumerate(_shares(self._plan.rounds, self._plan.restarts), 1):
            servers = self._start(generation)
            self._warm_up(servers, mixes, seconds)
            for number in range(done, done + rounds):
                for mix, picked in mixes.items():
                    for side in _turns(number):
                        text = f"round {number + 1} of {self._plan.rounds}: {mix}, {side.label}"
                        self._progress.stage(text)
                        sample = self._sample(servers[side], picked, seconds, generation)
                        samples[mix, side].append(sample)
            done += rounds
            self._stop(servers.values())
        return Measured(
            tuple(
                compare(mix, len(picked), samples[mix, Side.A], samples[mix, Side.B])
                for mix, picked in mixes.items()
            ),
            self._answers,
            (*self._reference.notes, *self._reconnections(), *self._shutdown_notes()),
            tuple(self._reference.left_out),
            seconds,
        )

    def _reconnections(self) -> Iterator[Note]:
        for index, name in enumerate(self._names):
            stock, turbostar = (self._hung_up[side][index] for side in Side)
            if stock or turbostar:
                yield Note(
                    name,
                    f"after it the server closed the connection, {stock:,} times on stock and "
                    f"{turbostar:,} times on turbostar, as it does if the application raises; "
                    "each time a new one was opened",
                )

    def _shutdown_notes(self) -> Iterator[Note]:
        if self._shutdown is not None:
            text = f"the lifespan failed when the servers were stopped: {self._shutdown}"
            yield Note("shutdown", text)

    def _round_seconds(self, mixes: int) -> float:
        if self._plan.budget is None:
            return self._plan.seconds
        return max(_SHORTEST, self._plan.budget / (2 * self._plan.rounds * mixes))

    def _learn(self) -> None:
        """Ask two stock servers what is right, one of them under load too."""
        self._progress.stage("asking stock Starlette what is right")
        requests = self._reference.requests
        first, fresh, again = self._start_one(Side.A, 0)
        with self._serially(first):
            settled = [again, *both_passes(requests, first)]
        second, _, other = self._start_one(Side.A, 1)
        settled.append(other)
        self._reference.learn(fresh, settled)
        self._progress.stage("looking for answers that vary under load")
        exchanges = self._reference.exchanges(settled[1])
        if exchanges:
            self._generator.plan("trial", exchanges)
            picked = tuple(range(len(exchanges)))
            trial = self._load(first, "trial", picked, _TRIAL, tolerant=True)
            self._reference.exclude(trial.differing)
        self._stop([first, second])

    def _start(self, generation: int) -> dict[Side, Server]:
        """Fresh servers, started in turns, whose answers are right one by one."""
        servers = {}
        for side in _turns(generation):
            self._progress.stage(f"starting servers: {side.label}")
            servers[side], _, sent = self._start_one(side, list(Side).index(side))
            if (wrong := self._reference.first_difference(sent)) is not None:
                raise _wrong_answer(side, wrong.name, wrong.text, "before the load")
            exchanges = self._reference.exchanges(sent)
            self._names = [exchange.name for exchange in exchanges]
            self._generator.plan(side.label, exchanges)
        return {side: servers[side] for side in Side}

    def _start_one(
        self, side: Side, offset: int
    ) -> tuple[Server, list[SerialAnswer], list[SerialAnswer]]:
        """A fresh server, and its answers to a first and a second pass over the requests."""
        began = time.perf_counter()
        port = self._plan.port + offset if self._plan.port else 0
        server = start_server(
            self._processes, side, self._plan.application, port, self._server_cores
        )
        with self._serially(server):
            fresh, settled = both_passes(self._reference.requests, server)
        self._starts.append(time.perf_counter() - began)
        self._progress.advance(self._starts[-1])
        return server, fresh, settled

    def _stop(self, servers: Iterable[Server]) -> None:
        servers = list(servers)
        self._processes.stop(*[server.process for server in servers])
        failures = [server.shutdown_failure() for server in servers]
        self._shutdown = self._shutdown or next(filter(None, failures), None)

    def _warm_up(
        self, servers: dict[Side, Server], mixes: dict[str, tuple[int, ...]], seconds: float
    ) -> None:
        for mix, picked in mixes.items():
            for side, server in servers.items():
                self._progress.stage(f"warming up: {mix}, {side.label}")
                self._load(server, side.label, picked, _warm_up(seconds))

    def _sample(
        self, server: Server, picked: tuple[int, ...], seconds: float, generation: int
    ) -> Sample:
        """One round on one server."""
        before = 0.0

        def begin() -> None:
            nonlocal before
            server.usage.restart_peak()
            before = server.usage.cpu_seconds()

        done = self._load(server, server.side.label, picked, seconds, begin=begin)
        cpu = server.usage.cpu_seconds() - before
        if cpu <= 0:
            raise UserError(
                f"a round of {seconds:g} s is too short to measure CPU time; "
                "give a longer --duration"
            )
        return Sample(
            requests=done.requests,
            seconds=done.seconds,
            servers=generation,
            requests_per_second=done.requests / done.seconds,
            p50_ms=done.p50 * 1e3,
            p99_ms=done.p99 * 1e3,
            cpu_us=cpu / done.requests * 1e6,
            peak_mib=server.usage.peak_bytes() / _MIB,
        )

    def _load(
        self,
        server: Server,
        plan: str,
        picked: tuple[int, ...],
        seconds: float,
        *,
        begin: Callable[[], None] | None = None,
        tolerant: bool = False,
    ) -> Done:
        """Put load on a server; `begin` is called when the connections stand."""
        run = Run(
            plan=plan,
            picked=picked,
            host=server.host,
            port=server.port,
            connections=self._plan.connections,
            seconds=seconds,
            timeout=PASS_TIMEOUT,
            tolerant=tolerant,
        )
        try:
            self._generator.prepare(run)
            if begin is not None:
                begin()
            done = self._generator.go(server.usage.sample)
        except LoadError as exc:
            if exc.missing:
                server.check_alive(f"under load, asked for {exc.name!r}", within=1.0)
            raise _wrong_answer(server.side, exc.name, exc.cause, "under load") from exc
        server.check_alive("under load")
        server.process.shorten_log()
        self._answers += done.requests
        if not tolerant:
            self._hung_up[server.side].update(done.hung_up)
        self._progress.advance(seconds)
        return done

    @contextlib.contextmanager
    def _serially(self, server: Server) -> Iterator[None]:
        """Turn a missing answer of a serial pass into the error to show."""
        try:
            yield
        except MissingAnswer as exc:
            server.check_alive(f"when asked for {exc.name!r}", within=1.0)
            raise WrongAnswer(
                f"the {server.side.label} server gives {exc}; repair the application, "
                'or mark the request with "bench": false'
            ) from exc


def _warm_up(seconds: float) -> float:
    """The warm-up before rounds of that many seconds; all requests have been answered before."""
    return min(_WARM_UP, seconds / 2)


def _wrong_answer(side: Side, name: str, cause: str, when: str) -> WrongAnswer:
    if side is Side.A:
        repair = 'stock Starlette itself varies here: mark the request with "bench": false'
    else:
        repair = "run `turbostar verify`; if turbostar is at fault, please report it"
    return WrongAnswer(f"wrong answer of {side.label} to {name!r} {when}: {cause}; {repair}")


def _turns(number: int) -> tuple[Side, Side]:
    """Which side goes first alternates."""
    return (Side.A, Side.B) if number % 2 == 0 else (Side.B, Side.A)


def _shares(rounds: int, generations: int) -> list[int]:
    """The rounds spread evenly over the generations."""
    share, larger = divmod(rounds, generations)
    return [share + (number < larger) for number in range(generations)]
