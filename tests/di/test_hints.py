"""What type hints say: aliases, metadata, generics, defaults, fields of dataclasses."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import (  # noqa: UP035
    Annotated,
    Any,
    Dict,
    Generic,
    List,
    NewType,
    Self,
    Type,
    TypeVar,
)

import attrs
import msgspec
import pytest

from turbostar.di import Container, Inject, Lazy, Named, WiringErrors

T = TypeVar("T")
K = TypeVar("K")


class User: ...


class Order: ...


class Store(Generic[T]):
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind


class Repo(Generic[T]):
    def __init__(self, store: Store[T]) -> None:
        self.store = store


class UserRepo(Repo[User]): ...


class OwnRepo(Repo[list[T]], Generic[T]): ...


class UserOwnRepo(OwnRepo[User]): ...


@dataclasses.dataclass
class Page(Generic[T]):
    store: Store[T]


@dataclasses.dataclass
class PairPage(Page[User], Generic[T]):
    other: Store[T]


@attrs.define
class AttrsRepo(Generic[T]):
    store: Store[T]


@attrs.define
class AttrsUserRepo(AttrsRepo[User]):
    count: int = 3


class StructRepo(msgspec.Struct, Generic[T]):
    store: Store[T]


class StructUserRepo(StructRepo[User]): ...


def got(di: Container, key: Any) -> Any:
    async def main() -> Any:
        async with di.scope() as scope:
            return await scope.get(key)

    return asyncio.run(main())


@pytest.mark.parametrize("cls", [UserRepo, AttrsUserRepo, StructUserRepo])
def test_what_a_base_is_of_holds_in_what_is_inherited(cls: Any) -> None:
    """``class UserRepo(Repo[User])`` needs a ``Store[User]`` where Repo needs a ``Store[T]``."""
    di = Container()
    di.add(Store)
    di.add(cls)
    di.validate()
    assert got(di, cls).store.kind is User


def test_variables_are_followed_through_several_bases() -> None:
    """And stand for different types in different classes, though they have one name."""
    di = Container()
    di.add(Store)
    di.add(UserOwnRepo)
    di.add(OwnRepo)
    di.add(PairPage)
    assert got(di, UserOwnRepo).store.kind == list[User]
    assert got(di, OwnRepo[Order]).store.kind == list[Order]
    page = got(di, PairPage[Order])
    assert (page.store.kind, page.other.kind) == (User, Order)


def test_variables_of_a_function_are_its_own() -> None:
    """What a function provides is matched with what is asked for."""
    di = Container()
    di.add(Store)

    def listing(store: Store[K]) -> Repo[list[K]]:
        return Repo(store)  # type: ignore[arg-type]

    di.add(listing)
    assert got(di, Repo[list[User]]).store.kind is User
    with pytest.raises(Exception, match=r"nothing provides Repo\[User\]"):
        got(di, Repo[User])


def test_a_class_of_a_generic_can_be_added() -> None:
    """``di.add(Repo[User])`` provides that, and nothing else."""
    di = Container()
    di.add(Store)
    di.add(Repo[User])
    di.validate()
    assert got(di, Repo[User]).store.kind is User


def test_type_parameters() -> None:
    """Of classes and functions with the syntax of Python 3.12."""
    if sys.version_info < (3, 12):
        pytest.skip("the syntax of Python 3.12")
    names: dict[str, Any] = {"User": User, "Inject": Inject, "__name__": __name__}
    source = """
from __future__ import annotations
class Store[T]:
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
class Repo[T]:
    def __init__(self, store: Store[T]) -> None:
        self.store = store
class UserRepo(Repo[User]): ...
class Pair[A, B]:
    def __init__(self, a: A, b: B) -> None:
        self.a, self.b = a, b
def pair[X](a: Store[X], b: Store[User]) -> Pair[X, User]:
    return Pair(a, b)
type Users = UserRepo
type Injected[T] = Inject[T]
async def handle(users: Injected[Users]):
    return users
"""
    exec(source, names)
    di = Container()
    di.add(names["Store"])
    di.add(names["UserRepo"])
    di.add(names["pair"])
    assert got(di, names["UserRepo"]).store.kind is User
    assert got(di, names["Pair"][int, User]).a.kind is int
    assert isinstance(asyncio.run(di.call(names["handle"])), names["UserRepo"])


@dataclasses.dataclass
class Plugins:
    many: list[User] = dataclasses.field(default_factory=lambda: [User()])
    names: dict[str, User] = dataclasses.field(default_factory=lambda: {"a": User()})
    kind: type[Any] = int


class Defaults:
    def __init__(
        self,
        many: Sequence[int] = (1, 2),
        table: Mapping[str, int] = {"a": 1},
        kind: type[int] = bool,
        make: Callable[[], User] = User,
        later: Lazy[User] | None = None,
        some: list[int] | None = None,
    ) -> None:
        self.all = (many, table, kind, make, later, some)


def test_defaults_stand_where_nothing_is_provided() -> None:
    """Of parameters that ask for all of a type, for a type, or for a factory, too."""
    di = Container()
    di.add(Plugins)
    di.add(Defaults)
    plugins = got(di, Plugins)
    assert (len(plugins.many), list(plugins.names), plugins.kind) == (1, ["a"], int)
    assert got(di, Defaults).all == ((1, 2), {"a": 1}, bool, User, None, None)
    di = Container()
    di.add(Plugins)
    di.add(User)
    di.value(user := User(), name="x")
    plugins = got(di, Plugins)
    assert len(plugins.many) == 2
    assert plugins.names == {"x": user}


def test_without_a_default_there_are_none() -> None:
    """Then all of a type are an empty list."""

    class Needs:
        def __init__(self, many: list[User], named: dict[str, User]) -> None:
            self.all = (many, named)

    di = Container()
    di.add(Needs)
    assert got(di, Needs).all == ([], {})


def test_a_collection_that_is_provided_itself() -> None:
    """It is what is meant, and not all providers of its items."""
    di = Container()

    @di.provide(scope="app")
    def origins() -> list[str]:
        return ["a"]

    @di.provide
    def maker() -> Callable[[], User]:
        return User

    class Needs:
        def __init__(self, origins: list[str], maker: Callable[[], User]) -> None:
            self.all = (origins, maker)

    di.add(Needs)
    di.value(Order, provides=type[Order])
    di.validate()
    assert got(di, Needs).all == (["a"], User)
    assert got(di, list[str]) == ["a"]
    assert got(di, type[Order]) is Order


def test_a_type_that_nobody_says_is_a_fault() -> None:
    """A variable that stands for nothing is no type to be given."""
    di = Container()
    di.add(Store)
    di.add(Repo)
    di.validate()
    assert faults_of_asking(di, Store) == ["DI007"]
    di.add(page := Page)
    assert faults_of_asking(di, page) == ["DI007", "DI007"]


def faults_of_asking(di: Container, hint: Any) -> list[str]:
    async def handle(value: Any) -> None: ...

    handle.__annotations__["value"] = Inject[hint]
    di.inject(handle)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    return [each.number for each in caught.value.exceptions]


@pytest.mark.parametrize(
    "hint",
    [List, Dict, Type, Callable, Lazy, list, dict, Callable[..., int]],  # noqa: UP006
    ids=str,
)
def test_hints_without_arguments_are_plain_types(hint: Any) -> None:
    """A fault that names them, and not an IndexError."""
    assert faults_of_asking(Container(), hint) == ["DI001"]


@dataclasses.dataclass
class Initial:
    user: dataclasses.InitVar[User]
    count: dataclasses.InitVar[int] = 3
    seen: Any = dataclasses.field(init=False, default=None)

    def __post_init__(self, user: User, count: int) -> None:
        self.seen = (user, count)


def test_fields_that_only_initialise() -> None:
    """``InitVar[User]`` needs a User."""
    di = Container()
    di.add(User, scope="app")
    di.add(Initial)
    di.validate()
    assert got(di, Initial).seen == (got(di, User), 3)


UserAlias = NewType("UserAlias", User)


def test_markers_within_an_optional() -> None:
    """``Inject[User] | None`` says the same as ``Inject[User | None]``."""

    async def handle(
        user: Inject[User] | None,
        none: Inject[Order] | None,
        named: Annotated[User, Named("x")] | None = None,
        other: Annotated[Order, Named("x")] | None = None,
    ) -> Any:
        return user, none, named, other

    di = Container()
    di.add(User, scope="app")
    di.value(named := User(), name="x")
    assert asyncio.run(di.call(handle)) == (got(di, User), None, named, None)


def test_factories_of_what_is_optional() -> None:
    """They are None where nothing is provided."""

    class Needs:
        def __init__(
            self, make: Callable[[], Awaitable[Order]] | None, later: Lazy[Order] | None
        ) -> None:
            self.all = (make, later)

    di = Container()
    di.add(Needs)
    assert got(di, Needs).all == (None, None)


def test_what_is_lazy_and_optional_is_supplied() -> None:
    """A function that asks for ``Lazy[User] | None`` is given it."""

    async def handle(user: Lazy[User] | None, other: Lazy[Order] | None) -> Any:
        assert user is not None
        return await user.get(), other

    di = Container()
    di.add(User, scope="app")
    assert asyncio.run(di.call(handle)) == (got(di, User), None)


def test_metadata_that_cannot_be_hashed() -> None:
    """Others' metadata is none of the container's business."""

    async def handle(
        one: Inject[Annotated[User, ["x"]]],
        many: Inject[list[Annotated[User, ["x"]]]],
        named: Inject[dict[str, Annotated[User, ["x"]]]],
        later: Lazy[Annotated[User, ["x"]]],
    ) -> Any:
        return one, many, named, await later.get()

    di = Container()
    di.add(User, scope="app")
    di.inject(handle)
    di.validate()
    user = got(di, User)
    assert asyncio.run(di.call(handle)) == (user, [user], {}, user)


class SqlRepo(Repo[K]):
    def __init__(self, store: Store[K], other: Store[list[K]]) -> None:
        super().__init__(store)
        self.other = other


class Loud(Repo[K]):
    def __init__(self, inner: Repo[K], kind: type[K]) -> None:
        self.inner, self.kind, self.store = inner, kind, inner.store


def quiet(inner: Repo[K], store: Store[K]) -> Repo[K]:
    inner.quiet = store.kind  # type: ignore[attr-defined]
    return inner


def test_what_a_class_is_as_another() -> None:
    """Provided as its base, it stands for what the base is of, by variables of its own."""
    di = Container()
    di.add(Store)
    di.add(SqlRepo, provides=Repo)
    di.validate()
    repo = got(di, Repo[User])
    assert isinstance(repo, SqlRepo)
    assert (repo.store.kind, repo.other.kind) == (User, list[User])
    di = Container()
    di.add(Store)
    di.add(UserRepo, provides=Repo)
    assert isinstance(got(di, Repo[User]), UserRepo)
    assert isinstance(got(di, Repo), UserRepo)
    assert faults_of_asking(di, Repo[Order]) == ["DI001"]


def test_all_of_a_generic() -> None:
    """A list of them is not empty where there are some for all types."""
    di = Container()
    di.add(Store)
    di.add(Repo)
    di.add(SqlRepo, provides=Repo, name="sql")
    assert [type(each) for each in got(di, list[Repo[User]])] == [Repo, SqlRepo]
    assert got(di, dict[str, Repo[Order]])["sql"].store.kind is Order


def test_generics_are_decorated() -> None:
    """By classes and functions with variables of their own, for each type anew."""
    di = Container()
    di.add(Store)
    di.add(SqlRepo, provides=Repo)
    di.decorate(Repo, quiet)
    di.decorate(Repo, Loud)
    di.validate()
    for kind in (User, Order):
        repo = got(di, Repo[kind])
        assert (type(repo), type(repo.inner)) == (Loud, SqlRepo)
        assert repo.kind is repo.inner.quiet is repo.inner.store.kind is kind


def test_an_object_of_a_generic_stands_for_all_types() -> None:
    """It does not say which it is for."""
    di = Container()
    di.value(repo := Repo(Store(User)))
    di.value(fake := object(), provides=Page)
    assert got(di, Repo[Order]) is repo
    assert got(di, Page[Order]) is fake


class Single(type):
    """A metaclass that keeps the only instance, as many write it."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **kwargs)


class Only(metaclass=Single):
    def __init__(self, user: User) -> None:
        self.user = user


class OnlyNew(metaclass=Single):
    user: User

    def __new__(cls, user: User) -> Self:
        made = super().__new__(cls)
        made.user = user
        return made


class OnlyBare(metaclass=Single): ...


def test_metaclasses_that_pass_arguments_on() -> None:
    """What is needed is what the class takes."""
    di = Container()
    for each in (User, Only, OnlyNew, OnlyBare):
        di.add(each, scope="app")
    di.validate()
    assert di.get_sync(Only).user is di.get_sync(OnlyNew).user is di.get_sync(User)
    assert type(di.get_sync(OnlyBare)) is OnlyBare


class Base:
    def __init__(self, user: User) -> None:
        self.user = user

    @classmethod
    def create(cls, user: User) -> Self:
        return cls(user)

    @classmethod
    def opened(cls, user: User) -> Iterator[Self]:
        yield cls(user)

    def like_this(self) -> Self:
        return self


class Derived(Base): ...


def test_methods_that_return_self() -> None:
    """They provide the class by which they are named, or that of the object."""
    user = User()
    for target in (Derived.create, Derived.opened, Derived(user).like_this):
        di = Container()
        di.value(user)
        di.add(target, scope="app")
        di.validate()
        assert type(di.get_sync(Derived)) is Derived
        assert di.get_sync(Derived).user is user


def test_self_outside_of_a_class_is_a_fault() -> None:
    """Nobody could ask for it."""

    def like_this() -> Self:  # type: ignore[misc]
        raise NotImplementedError

    di = Container()
    di.add(like_this)
    with pytest.raises(WiringErrors) as caught:
        di.validate()
    assert "like_this" in str(caught.value.exceptions[0])
    assert "returns Self" in str(caught.value.exceptions[0])


def test_names_for_type_checkers_are_those_that_functions_provide_too() -> None:
    """Wherever the function stands that says what it returns."""

    class Session: ...

    class Other: ...

    names: dict[str, Any] = {"Inject": Inject}
    exec(
        "class Repo:\n"
        "    def __init__(self, session: 'Session') -> None:\n"
        "        self.session = session\n"
        "def first() -> 'Other': ...\n"
        "async def handle(session: 'Inject[Session]', other: 'Inject[Other]') -> object:\n"
        "    return session\n",
        names,
    )

    def session() -> Iterator[Session]:
        yield Session()

    def other() -> Other:
        return Other()

    di = Container()
    di.add(names["Repo"])
    di.add(names["first"], name="first")
    di.add(session)
    di.add(other)
    handle = di.inject(names["handle"])
    di.validate()
    assert isinstance(asyncio.run(handle()), Session)
