"""Errors of the container. Each has a number, which docs/di-errors.md explains."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

__all__ = [
    "AlreadyBuilding",
    "AmbiguousProvider",
    "AsyncInSync",
    "ContainerInUse",
    "DependencyCycle",
    "DuplicateProvider",
    "GeneratorMisuse",
    "InjectionError",
    "Link",
    "MissingContext",
    "MissingProvider",
    "ParameterMismatch",
    "ScopeClosed",
    "ScopeViolation",
    "TeardownErrors",
    "UncallableProvider",
    "UnknownOverride",
    "UnknownScope",
    "UnresolvableHint",
    "WiringErrors",
]


class Link(NamedTuple):
    """One step of the chain that led to a fault: who needs what."""

    who: str
    where: str
    parameter: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.who} ({self.where}) needs {self.parameter}: {self.wanted}"


class InjectionError(Exception):
    """A fault of the wiring or of its use.

    Attributes:
        number: the number under which docs/di-errors.md explains it.
        cause: what is wrong, in one line.
        repair: what to do about it.
        chain: who needed what, the outermost first.
    """

    number: ClassVar[str] = "DI000"

    def __init__(self, cause: str, repair: str, chain: Sequence[Link] = ()) -> None:
        self.cause = cause
        self.repair = repair
        self.chain = tuple(chain)
        super().__init__(cause)

    def __str__(self) -> str:
        steps = "".join(f"\n    {link}" for link in self.chain)
        return f"{self.number} {self.cause}{steps}\n  -> {self.repair}"


class MissingProvider(InjectionError):
    """Nothing provides what is asked for."""

    number = "DI001"


class DependencyCycle(InjectionError):
    """A provider needs itself, by way of others."""

    number = "DI002"


class ScopeViolation(InjectionError):
    """Something that lives longer needs something that lives shorter."""

    number = "DI003"


class AsyncInSync(InjectionError):
    """Something that has to be awaited is asked for where nobody can await."""

    number = "DI004"


class DuplicateProvider(InjectionError):
    """The same is provided twice."""

    number = "DI005"


class AmbiguousProvider(InjectionError):
    """Several providers could be meant."""

    number = "DI006"


class UnresolvableHint(InjectionError):
    """An annotation is missing or names something that cannot be found."""

    number = "DI007"


class UnknownOverride(InjectionError):
    """Something is overridden that nobody provides."""

    number = "DI008"


class ParameterMismatch(InjectionError):
    """A handler's parameter does not fit its route."""

    number = "DI009"


class UnknownScope(InjectionError):
    """A scope is named that the container does not have."""

    number = "DI010"


class MissingContext(InjectionError):
    """A value that is given to each scope was not given to this one."""

    number = "DI011"


class ScopeClosed(InjectionError):
    """Something is asked of a scope that has ended."""

    number = "DI012"


class GeneratorMisuse(InjectionError):
    """A generator that provides something yields never or more than once."""

    number = "DI013"


class AlreadyBuilding(InjectionError):
    """Something is asked for by what makes it, which would wait forever."""

    number = "DI014"


class ContainerInUse(InjectionError):
    """Providers are added after something was built."""

    number = "DI015"


class UncallableProvider(InjectionError):
    """A provider cannot be called: an abstract class, a protocol, or no callable at all."""

    number = "DI016"


class WiringErrors(ExceptionGroup[InjectionError]):
    """Every fault that `Container.validate` found, at once."""

    def __str__(self) -> str:
        listed = "\n\n".join(str(fault) for fault in self.exceptions)
        return f"{self.message}\n\n{textwrap.indent(listed, '  ')}"

    def derive(self, excs: Sequence[Any], /) -> Any:
        return WiringErrors(self.message, excs)


class TeardownErrors(ExceptionGroup[Exception]):
    """What the finalizers of one scope raised. All of them were run."""

    def derive(self, excs: Sequence[Any], /) -> Any:
        return TeardownErrors(self.message, excs)
