"""What a fast path is expected to bypass, and how that is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fast_path.recorder import Recorder
from tests.fast_path.serving import Names, Step, serve

__all__ = ["CASES", "MODES", "Case", "Lost", "case", "check", "in_mode", "losses"]

MODES = ("swap", "install")


class Lost(AssertionError):
    """A function of Starlette's was called that a fast path bypasses."""


@dataclass(frozen=True)
class Case:
    """An application and requests, which are answered without some of Starlette's functions.

    Attributes:
        build: makes both, of the names of Starlette or of turbostar.
        without: the functions, as ``routing:Route.matches`` for those of Starlette.
        at_most: the most that a function may be entered, where that is not never.
        patterns: the most regular expressions that may be tried; None for any number.
        rows: of the table of accelerations, those that stock has no function for.
        modes: in which of the two ways it holds.
    """

    name: str
    build: Callable[[Names], tuple[Any, Sequence[Step]]]
    without: tuple[str, ...]
    at_most: Mapping[str, int] = field(default_factory=dict)
    patterns: int | None = None
    rows: tuple[str, ...] = ()
    modes: tuple[str, ...] = MODES

    def __repr__(self) -> str:
        return self.name

    @property
    def targets(self) -> set[str]:
        """The rows of the table that it stands for."""
        return {_full(name) for name in (*self.without, *self.at_most, *self.rows)}


CASES: list[Case] = []


def case(
    without: Iterable[str] = (), **more: Any
) -> Callable[[Callable[[Names], Any]], Callable[[Names], Any]]:
    """Decorator of a function that builds an application and the requests to it."""

    def add(build: Callable[[Names], Any]) -> Callable[[Names], Any]:
        CASES.append(Case(build.__name__, build, tuple(dict.fromkeys(without)), **more))
        return build

    return add


def _full(name: str) -> str:
    """The full name of a function of Starlette's, and that of any other as it is."""
    return name if name.partition(":")[0] in ("json", "anyio") else f"starlette.{name}"


@contextmanager
def in_mode(mode: str) -> Iterator[Names]:
    """The names that an application of this mode imports, with what is in force then."""
    if mode == "stock":
        yield Names("starlette")
        return
    import turbostar

    if mode == "swap":
        yield Names("turbostar")
        return
    turbostar.install()
    try:
        yield Names("starlette")
    finally:
        turbostar.uninstall()


def _run(case: Case, names: Names) -> tuple[Any, Recorder]:
    recorder = Recorder()
    app, steps = case.build(names)
    return serve(app, steps, rounds=4, recorder=recorder), recorder


def losses(case: Case, recorder: Recorder) -> list[str]:
    """What a fast path should have bypassed, and did not."""
    limits = dict.fromkeys(case.without, 0) | dict(case.at_most)
    lost = []
    for name, most in limits.items():
        count = recorder.entered[_full(name)]
        if count > most:
            often = "" if most == 0 else f" {count} times, not {most}"
            lost.append(f"{_full(name)} was called{often}")
    if case.patterns is not None and recorder.patterns > case.patterns:
        lost.append(f"{recorder.patterns} patterns were tried, not {case.patterns}")
    return lost


def check(case: Case, mode: str) -> None:
    """Check that a case is answered as by Starlette, and without its functions.

    Raises:
        AssertionError: the answers differ, or Starlette itself does not call the functions.
        Lost: some of the functions were called.
    """
    with in_mode("stock") as names:
        expected, control = _run(case, names)
    idle = [name for name in case.without if not control.entered[_full(name)]]
    assert not idle, f"not even stock calls {idle}: the case shows nothing of them"
    with in_mode(mode) as names:
        answers, recorder = _run(case, names)
    assert answers == expected, f"stock     {expected}\nturbostar {answers}"
    if lost := losses(case, recorder):
        raise Lost("\n".join(lost))
