"""Generated graphs: the container does what a naive recursive resolver does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.di.naive import Naive, Part
from turbostar.di import Container, DependencyCycle, Inject, Named, ScopeViolation, WiringErrors

KINDS = ["class", "function", "coroutine", "generator", "asyncgen"]
WIDTH = {"app": 0, "request": 1}


@st.composite
def graphs(draw: st.DrawFn) -> list[Part]:
    """Parts that need only earlier ones, and none that lives shorter."""
    parts: list[Part] = []
    widths: list[int] = []
    for number in range(draw(st.integers(1, 8))):
        scope = draw(st.sampled_from(["app", "request", "transient"]))
        possible = [
            each for each in range(number) if scope == "transient" or widths[each] <= WIDTH[scope]
        ]
        needs = draw(st.lists(st.sampled_from(possible), max_size=3)) if possible else []
        parts.append(Part(number, tuple(needs), scope, draw(st.sampled_from(KINDS))))
        narrowest = max([widths[each] for each in needs], default=0)
        widths.append(narrowest if scope == "transient" else WIDTH[scope])
    return parts


def provider_of(part: Part, log: list[str]) -> Callable[..., Any]:
    """A provider of the kind that a part says, which notes what happens to it."""

    def make(needed: tuple[Any, ...]) -> Any:
        log.append(f"make {part.number} of {[each[0] for each in needed]}")
        return (part.number, *needed)

    def function(*needed: Any) -> Any:
        return make(needed)

    async def coroutine(*needed: Any) -> Any:
        made = make(needed)
        await asyncio.sleep(0)
        return made

    def generator(*needed: Any) -> Iterator[Any]:
        yield make(needed)
        log.append(f"close {part.number}")

    async def asyncgen(*needed: Any) -> AsyncIterator[Any]:
        made = make(needed)
        await asyncio.sleep(0)
        yield made
        log.append(f"close {part.number}")

    made: Any = {
        "class": function,
        "function": function,
        "coroutine": coroutine,
        "generator": generator,
        "asyncgen": asyncgen,
    }[part.kind]
    return with_parameters(made, part)


def with_parameters(function: Any, part: Part) -> Any:
    """Give a function of ``*needed`` a signature with one annotated parameter for each need."""

    parameters = [
        inspect.Parameter(
            f"need_{index}",
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=Annotated[tuple, Named(f"part {each}")],
        )
        for index, each in enumerate(part.needs)
    ]
    function.__signature__ = inspect.Signature(parameters)
    return function


def container_of(parts: list[Part], log: list[str]) -> Container:
    di = Container()
    for part in parts:
        di.add(provider_of(part, log), scope=part.scope, provides=tuple, name=f"part {part.number}")
    return di


def handler_of(roots: list[int], log: list[str]) -> Any:
    async def handle(*needed: Any) -> Any:
        log.append("handle")
        return list(needed)

    parameters = [
        inspect.Parameter(
            f"need_{index}",
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[tuple, Named(f"part {each}")],
        )
        for index, each in enumerate(roots)
    ]

    async def by_name(**needed: Any) -> Any:
        return await handle(*needed.values())

    by_name.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return by_name


@pytest.mark.parametrize("way", ["compiled", "scope", "started"])
@settings(max_examples=100)
@given(graphs(), st.data())
def test_graphs_are_resolved_as_by_the_oracle(way: str, parts: list[Part], data: Any) -> None:
    """The same values, sharing the same instances, made and torn down in the same order."""
    numbers = st.integers(0, len(parts) - 1)
    roots = data.draw(st.lists(numbers, min_size=1, max_size=3))
    expected_log: list[str] = []
    naive = Naive(parts, expected_log)
    expected = [naive.request(roots), naive.request(roots)]
    naive.close()

    log: list[str] = []
    di = container_of(parts, log)

    async def twice() -> list[Any]:
        if way == "scope":
            return [await by_scope(di, roots, log), await by_scope(di, roots, log)]
        handle = di.inject(handler_of(roots, log))
        return [await handle(), await handle()]

    async def run() -> list[Any]:
        if way != "started":
            made = await twice()
            await di.close()
            return made
        handle = di.inject(handler_of(roots, log))
        async with di.lifespan():
            return [await handle(), await handle()]

    made = asyncio.run(run())
    assert made == expected
    if way == "started":  # with all the singletons made first
        assert sorted(log) == sorted(expected_log)
        log = [line for line in log if not is_of_app(line, parts)]
        expected_log = [line for line in expected_log if not is_of_app(line, parts)]
    assert log == expected_log
    assert sharing(made) == sharing(expected)


def is_of_app(line: str, parts: list[Part]) -> bool:
    """Whether a line tells of what is made, or may be made, for the whole application."""
    word, _, rest = line.partition(" ")
    return word != "handle" and parts[int(rest.split()[0])].scope != "request"


async def by_scope(di: Container, roots: list[int], log: list[str]) -> list[Any]:
    async with di.scope() as scope:
        made = [await scope.get(tuple, f"part {each}") for each in roots]
        log.append("handle")
    return made


def sharing(value: Any, seen: dict[int, int] | None = None) -> Any:
    """The shape of what was made, with the same number for the same object."""
    seen = {} if seen is None else seen
    if not isinstance(value, (tuple, list)):
        return value
    number = seen.setdefault(id(value), len(seen))
    return (number, [sharing(each, seen) for each in value])


@given(graphs(), st.data())
def test_each_wrong_need_is_found(parts: list[Part], data: Any) -> None:
    """A need that closes a circle or reaches into a shorter life is a fault, told as such."""
    number = data.draw(st.integers(0, len(parts) - 1))
    other = data.draw(st.integers(number, len(parts) - 1))
    wrong = [*parts]
    part = parts[number]
    wrong[number] = Part(number, (*part.needs, other), part.scope, part.kind)
    faults = faults_of(container_of(wrong, []))
    assert any(isinstance(each, DependencyCycle) for each in faults) == reaches(
        wrong, other, number
    )
    kinds = {type(each) for each in faults}
    assert kinds <= {DependencyCycle, ScopeViolation}


def faults_of(di: Container) -> tuple[Any, ...]:
    try:
        di.validate()
    except WiringErrors as errors:
        return errors.exceptions
    return ()


def reaches(parts: list[Part], start: int, goal: int) -> bool:
    waiting, seen = [start], set()
    while waiting:
        each = waiting.pop()
        if each == goal:
            return True
        if each not in seen:
            seen.add(each)
            waiting += parts[each].needs
    return False


def test_an_injected_parameter_is_found_by_the_oracle_too() -> None:
    """`Inject` asks by type alone."""
    di = Container()
    di.value("text")

    async def handle(text: Inject[str]) -> str:
        return text

    assert asyncio.run(di.call(handle)) == "text"
