"""Small programs that stock Starlette and turbostar must run alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.fast_path.serving import Names, Step, serve

__all__ = ["PROGRAMS", "Program", "outcomes_of", "program"]


class Program(NamedTuple):
    """An application with requests to it, and with what is done between them."""

    name: str
    build: Callable[[Names], tuple[Any, Sequence[Step]]]


PROGRAMS: list[Program] = []


def program(build: Callable[[Names], Any]) -> Callable[[Names], Any]:
    """Decorator of a function that builds an application, and the steps to take with it."""
    PROGRAMS.append(Program(build.__name__, build))
    return build


def outcomes_of(program: Program, names: Names) -> list[Any]:
    """What comes of the program, with the classes of one package."""
    app, steps = program.build(names)
    return serve(app, steps)
