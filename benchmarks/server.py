"""Server CPU per request on real uvicorn: raw ASGI, stock Starlette and turbostar in turn.

Each on uvicorn's own protocol class, and on turbostar's.

``python -m benchmarks.server`` starts fresh uvicorn processes (httptools, uvloop), puts the load of
`turbostar bench` on one after the other, round by round, and divides the CPU time that each
server's processes used by the requests they answered. Every answer is compared with the right one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.served_shapes import SHAPES, Shape
from benchmarks.server_processes import HOST, ServerProcess, cores, start
from benchmarks.server_report import Sample, as_json, lines
from turbostar.cli.bench.connection import LoadError
from turbostar.cli.bench.environment import describe
from turbostar.cli.bench.exchange import Exchange, difference, expect, wire_pieces
from turbostar.cli.bench.frames import Run
from turbostar.cli.bench.generator import LoadGenerator
from turbostar.cli.bench.processes import Processes
from turbostar.cli.bench.serial import MissingAnswer, SerialClient
from turbostar.cli.errors import UserError
from turbostar.cli.signals import ended_by_signals

__all__ = ["main"]

_WARM_UP = 0.5  # seconds of load of each shape on each new server
_TIMEOUT = 10.0  # seconds for one answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        with ended_by_signals():
            return _run(options)
    except (UserError, LoadError, MissingAnswer) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; nothing is left running\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.server", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each server and shape (7)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one round (1.5)")
    parser.add_argument("--restarts", type=int, default=2, help="generations of servers (2)")
    parser.add_argument("--connections", type=int, default=32, help="kept alive (32)")
    parser.add_argument(
        "--shape",
        action="append",
        choices=[shape.key for shape in SHAPES],
        help="measure this one only; may be repeated",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    return parser


def _run(options: argparse.Namespace) -> int:
    if min(options.rounds, options.restarts, options.connections) < 1 or options.seconds <= 0:
        raise UserError("--rounds, --seconds, --restarts and --connections must be above 0")
    shapes = [shape for shape in SHAPES if not options.shape or shape.key in options.shape]
    samples = _measured(shapes, options)
    for line in lines(samples):
        sys.stdout.write(f"{line}\n")
    if options.json:
        document = {"environment": describe(), **as_json(samples)}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def _measured(shapes: Sequence[Shape], options: argparse.Namespace) -> list[Sample]:
    samples: list[Sample] = []
    with Processes() as processes, cores() as (server_cores, load_cores):
        generator = LoadGenerator(processes, load_cores)
        done = 0
        for generation in range(options.restarts):
            rounds = (options.rounds - done) // (options.restarts - generation)
            servers = [
                start(processes, application, server_cores) for application in _applications(shapes)
            ]
            for shape in shapes:
                _prepare(shape, servers, generator, options)
            for number in range(done, done + rounds):
                sys.stderr.write(f"round {number + 1} of {options.rounds}\n")
                for shape in shapes:
                    for server in _turns(shape, servers, number):
                        found = _sample(shape, server, generator, options, options.seconds)
                        samples.append(found._replace(round=number))
            done += rounds
            processes.stop(*[server.process for server in servers])
    return samples


def _applications(shapes: Sequence[Shape]) -> list[str]:
    """The applications that these shapes ask, each once."""
    return list(dict.fromkeys(name for shape in shapes for name in shape.applications.values()))


def _turns(shape: Shape, servers: Sequence[ServerProcess], number: int) -> list[ServerProcess]:
    """The servers of a shape; another one goes first in each round."""
    wanted = [
        next(server for server in servers if server.application == name)
        for name in shape.applications.values()
    ]
    first = number % len(wanted)
    return wanted[first:] + wanted[:first]


def _prepare(
    shape: Shape,
    servers: Sequence[ServerProcess],
    generator: LoadGenerator,
    options: argparse.Namespace,
) -> None:
    """Check that all servers answer alike, make the answer known to the load, and warm up."""
    pieces = wire_pieces(shape.request, None)
    answers = {}
    for side, name in shape.applications.items():
        server = next(server for server in servers if server.application == name)
        with SerialClient(HOST, server.port, timeout=_TIMEOUT) as client:
            answers[side] = client.ask(shape.key, pieces)
    right = answers[shape.reference]
    if right.status != 200:
        raise UserError(f"{shape.key}: {shape.reference} gives {right.status}; repair the case")
    for side, answer in answers.items():
        # The raw function has no middleware: what one adds is not asked of it.
        expected = expect(right, [b"x-layer"] if side == "raw" else [])
        if (wrong := difference(expected, answer)) is not None:
            raise UserError(f"{shape.key}: {side} answers otherwise: {wrong}")
        generator.plan(f"{shape.key} {side}", [Exchange(shape.key, pieces, False, expected)])
    for server in _turns(shape, servers, 0):
        _sample(shape, server, generator, options, _WARM_UP)


def _sample(
    shape: Shape,
    server: ServerProcess,
    generator: LoadGenerator,
    options: argparse.Namespace,
    seconds: float,
) -> Sample:
    side = next(side for side, name in shape.applications.items() if name == server.application)
    generator.prepare(
        Run(
            plan=f"{shape.key} {side}",
            picked=(0,),
            host=HOST,
            port=server.port,
            connections=options.connections,
            seconds=seconds,
            timeout=_TIMEOUT,
        )
    )
    before = server.usage.cpu_seconds()
    done = generator.go(server.usage.sample)
    cpu = server.usage.cpu_seconds() - before
    return Sample(
        shape=shape.key,
        side=side,
        round=0,
        cpu_us=cpu / done.requests * 1e6,
        requests_per_second=done.requests / done.seconds,
        peak_mib=server.usage.peak_bytes() / 2**20,
    )


if __name__ == "__main__":
    sys.exit(main())
