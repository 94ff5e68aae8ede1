"""Every error has a number, a cause, a chain, a repair, and a section in docs/di-errors.md."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Protocol

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from turbostar.di import (
    Container,
    DependencyCycle,
    Inject,
    InjectionError,
    Named,
    TeardownErrors,
    WiringErrors,
)

GUIDE = (Path(__file__).parents[2] / "docs" / "di-errors.md").read_text("utf-8")


class Engine: ...


class Session:
    def __init__(self, engine: Engine) -> None: ...


class Repo:
    def __init__(self, session: Session) -> None: ...


class Storage(Protocol):
    def put(self) -> None: ...


class Egg:
    def __init__(self, hen: Hen) -> None: ...


class Hen:
    def __init__(self, egg: Egg) -> None: ...


async def show(repo: Inject[Repo]) -> None: ...


def missing(di: Container) -> None:
    di.add(Session)
    di.add(Repo)
    di.inject(show)
    di.validate()


def cycle(di: Container) -> None:
    di.add(Egg)
    di.add(Hen)
    di.validate()


def violation(di: Container) -> None:
    di.add(Engine)
    di.add(Session, scope="app")
    di.validate()


def async_in_sync(di: Container) -> None:
    async def engine() -> Engine:
        return Engine()

    class Maker:
        def __init__(self, make: Callable[[], Engine]) -> None: ...

    di.add(engine)
    di.add(Maker)
    di.validate()


def duplicate(di: Container) -> None:
    di.value(1, name="port")
    di.value(2, name="port")
    di.validate()


def ambiguous(di: Container) -> None:
    class Needs:
        def __init__(self, storage: Storage) -> None: ...

    di.add(Engine, provides=Storage, name="a")
    di.add(Repo, provides=Storage, name="b")
    di.add(Session)
    di.add(Engine)
    di.add(Needs)
    di.validate()


def unresolvable(di: Container) -> None:
    def engine(settings) -> Engine:  # type: ignore[no-untyped-def]
        return Engine()

    di.add(engine)
    di.validate()


def unknown_override(di: Container) -> None:
    di.add(Engine)
    di.override({Session: object()})


def parameter(di: Container) -> None:
    async def item(item_id: int, engine: Inject[Engine]) -> None: ...

    di.add(Engine)
    di.install(Starlette(routes=[Route("/{item_id}", item)]))
    di.validate()


def unknown_scope(di: Container) -> None:
    di.add(Engine, scope="session")
    di.validate()


def no_context(di: Container) -> None:
    async def handle(name: Inject[str]) -> None: ...

    di.context(str)
    asyncio.run(di.call(handle))


def closed(di: Container) -> None:
    di.add(Engine)
    with di.scope() as scope:
        pass
    scope.get_sync(Engine)


def generator(di: Container) -> None:
    @di.provide
    def engine() -> Iterator[Engine]:
        yield from ()

    with di.scope() as scope:
        scope.get_sync(Engine)


def building(di: Container) -> None:
    @di.provide(scope="app")
    def engine() -> Engine:
        return di.get_sync(Engine)

    di.get_sync(Engine)


def in_use(di: Container) -> None:
    di.add(Engine, scope="app")
    di.get_sync(Engine)
    di.add(Session)


def uncallable(di: Container) -> None:
    di.add(Storage)
    di.validate()


CASES = {
    "DI001": missing,
    "DI002": cycle,
    "DI003": violation,
    "DI004": async_in_sync,
    "DI005": duplicate,
    "DI006": ambiguous,
    "DI007": unresolvable,
    "DI008": unknown_override,
    "DI009": parameter,
    "DI010": unknown_scope,
    "DI011": no_context,
    "DI012": closed,
    "DI013": generator,
    "DI014": building,
    "DI015": in_use,
    "DI016": uncallable,
}


def faults_made_by(make: Callable[[Container], None]) -> tuple[Any, ...]:
    with pytest.raises((InjectionError, WiringErrors)) as caught:
        make(Container())
    exc = caught.value
    return exc.exceptions if isinstance(exc, WiringErrors) else (exc,)


@pytest.mark.parametrize("number", CASES)
def test_each_error_can_be_made(number: str) -> None:
    """A small mistake leads to it, and it says what to do."""
    faults = faults_made_by(CASES[number])
    assert {fault.number for fault in faults} == {number}
    for fault in faults:
        assert str(fault).startswith(f"{number} {fault.cause}")
        assert str(fault).endswith(f"-> {fault.repair}")
        assert "\n" not in fault.cause + fault.repair


def test_every_number_has_a_case_and_a_section() -> None:
    """Nothing is numbered without being made here and explained in the guide."""
    classes = InjectionError.__subclasses__()
    assert sorted(each.number for each in classes) == sorted(CASES)
    sections = dict(re.findall(r"^## (DI\d+) (\w+)$", GUIDE, re.MULTILINE))
    assert sections == {each.number: each.__name__ for each in classes}


def test_the_chain_leads_from_the_handler() -> None:
    """Who needed what, with files and lines."""
    (fault,) = faults_made_by(missing)
    lines = str(fault).splitlines()
    assert lines[0] == "DI001 nothing provides Engine"
    assert re.fullmatch(r"    show \(test_errors\.py:\d+\) needs repo: Repo", lines[1])
    assert re.fullmatch(r"    Repo \(test_errors\.py:\d+\) needs session: Session", lines[2])
    assert re.fullmatch(r"    Session \(test_errors\.py:\d+\) needs engine: Engine", lines[3])


def test_a_cycle_is_shown_as_a_path() -> None:
    """From the first who needs to where it comes back."""
    (fault,) = faults_made_by(cycle)
    assert fault.cause == "a cycle: Egg -> Hen -> Egg"


def test_near_misses_are_suggested() -> None:
    """A name that is nearly right, a subclass, or a name that was left out."""

    class Sessions: ...

    class LocalStorage(Engine): ...

    di = Container()
    di.add(Sessions)
    di.add(LocalStorage)
    di.value("x", provides=bytes, name="key")

    async def handle(a: Inject[Session], b: Inject[Engine], c: Inject[bytes]) -> None: ...

    di.inject(handle)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    near, kin, named = (str(fault) for fault in caught.value.exceptions)
    assert "did you mean Sessions?" in near
    assert "provides=Engine where LocalStorage is added" in kin
    assert "Annotated[bytes, Named('key')]" in named


def test_all_faults_are_told_at_once() -> None:
    """validate() does not stop at the first, and prints each."""
    di = Container()
    for make in (cycle, violation, duplicate):
        with pytest.raises(WiringErrors):
            make(di)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert {fault.number for fault in caught.value.exceptions} == {"DI002", "DI003", "DI005"}
    assert all(number in str(caught.value) for number in ("DI002", "DI003", "DI005"))
    matched, rest = caught.value.split(DependencyCycle)
    assert isinstance(matched, WiringErrors)
    assert isinstance(rest, WiringErrors)


def test_a_named_need_is_told_with_its_name() -> None:
    """So that one sees which of several is missing."""
    di = Container()

    async def handle(engine: Annotated[Engine, Named("main")]) -> None: ...

    di.inject(handle)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert "nothing provides Engine named 'main'" in str(caught.value)


def test_nothing_is_made_before_the_wiring_is_right() -> None:
    """The lifespan validates first."""
    di = Container()
    made: list[int] = []

    @di.provide(scope="app")
    def engine() -> Engine:
        made.append(1)
        return Engine()

    di.add(Repo)
    di.inject(show)

    async def main() -> None:
        async with di.lifespan():
            raise AssertionError("it started")

    with pytest.raises(WiringErrors):
        asyncio.run(main())
    assert made == []


def test_teardown_errors_split_into_their_kind() -> None:
    """``except*`` works with them."""
    group = TeardownErrors("2 finalizers failed", [ValueError(), KeyError()])
    matched, _ = group.split(ValueError)
    assert isinstance(matched, TeardownErrors)


def test_what_is_no_type_of_its_own_is_to_be_named() -> None:
    """A parameter of a built-in type was often meant to come from the request."""
    di = Container()

    async def list_items(limit: Inject[int]) -> None: ...

    di.inject(list_items)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    told = str(caught.value.exceptions[0])
    assert "Annotated[int, Named(...)]" in told
    assert "named as in the path, or annotated as Query[int] or Body[int]" in told
