"""What annotations say to the container: `Inject`, `Named`, `Lazy`, `Body` and `Query`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

__all__ = ["BODY", "INJECT", "QUERY", "Body", "Inject", "Lazy", "Marker", "Named", "Query"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Marker:
    """Metadata of `typing.Annotated` that says where a parameter comes from."""

    word: str


INJECT = Marker("Inject")
BODY = Marker("Body")
QUERY = Marker("Query")

#: The parameter is provided by the container; to a type checker, `Inject[Repo]` is a `Repo`.
Inject = Annotated[T, INJECT]
#: The parameter is the request's JSON body, decoded as this type.
Body = Annotated[T, BODY]
#: The parameter is the request's query string, decoded as this type.
Query = Annotated[T, QUERY]


@dataclass(frozen=True)
class Named:
    """Asks for the provider of that name: ``Annotated[Storage, Named("s3")]``."""

    name: str


class Lazy(Generic[T_co]):
    """A dependency that is made when it is first asked for.

    As a parameter, ``repo: Lazy[Repo]``; then ``await repo.get()`` gives the `Repo` of the scope in
    which the parameter was provided.
    """

    __slots__ = ("_resolve", "_scope")

    def __init__(self, resolve: Callable[[Any], Awaitable[T_co]], scope: Any) -> None:
        self._resolve = resolve
        self._scope = scope

    async def get(self) -> T_co:
        """Return the dependency, which is made now if it is not there yet."""
        return await self._resolve(self._scope)
