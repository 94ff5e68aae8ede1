"""Functions that dependencies are supplied to, each compiled to one generated coroutine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

from turbostar.di.codegen import Names, Writer, execute, identifier
from turbostar.di.emit import Emitter, NeedsScope
from turbostar.di.keys import Key, label_of, place_of
from turbostar.di.providers import APP, Kind, Need, Provider, is_indirect, kind_of
from turbostar.di.scopes import Scope
from turbostar.di.validation import Root
from turbostar.di.wiring import Wiring

__all__ = ["Argument", "Call", "Handler", "reached_singletons"]


class Argument(NamedTuple):
    """One argument of a handler: from the container, or an expression of the caller's own."""

    parameter: str
    source: Need | str
    by_name: bool = False


@dataclass
class Call:
    """How a handler is called.

    Attributes:
        function: the handler.
        signature: the parameters of the generated function.
        arguments: what the handler is called with.
        passed: arguments that are passed on as they came, such as ``*args``.
        given: values that the container's context is given, as expressions.
        prelude: lines before anything is made.
        variables: which they assign.
        finish: the name of a constant that is called with what the handler returned, and with the
            finalizers that wait, or the scope that has them, and takes these over; without it they
            are run at the end.
        close: the name of what runs them then.
        in_thread: the handler is sync and is run in a worker thread.
        shared: the expression for a scope that was opened already, and is closed by whoever did.
        scope: the scope that it lives in, and what it asks for with it; None for the narrowest.
    """

    function: Callable[..., Any]
    signature: str
    arguments: list[Argument]
    passed: tuple[str, ...] = ()
    given: Mapping[Key, str] = field(default_factory=dict)
    prelude: list[str] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    finish: str | None = None
    close: str = "close"
    in_thread: bool = False
    shared: str | None = None
    scope: str | None = None

    @property
    def root(self) -> Root:
        needs = tuple(each.source for each in self.arguments if isinstance(each.source, Need))
        given = frozenset((*self.given, Key(Scope))) if self.given else None
        return Root(label_of(self.function), place_of(self.function), needs, given, self.scope)


class Handler:
    """A function to call in place of a handler; compiled when it is first called.

    Attributes:
        function: the function to call. Compiling replaces its code, so that whoever holds it, such
            as a route, calls what is in force without asking anybody.
    """

    def __init__(self, call: Call, names: Names, current: Callable[[], Wiring]) -> None:
        self.call = call
        self._current = current
        self._kept: dict[Wiring, CodeType] = {}
        name = f"call_{identifier(label_of(call.function))}"
        self.name = name
        compile_first = names.reserve(f"compile_and_{name}", self._compile_and_call)
        passed = ", ".join(_passed(call.signature))
        source = (
            f"async def {name}({call.signature}):\n    return await {compile_first}({passed})\n"
        )
        self.function = execute(source, name, names.namespace)
        self.function.__qualname__ = getattr(call.function, "__qualname__", name)
        self.function.__doc__ = getattr(call.function, "__doc__", None)
        self._cold = self.function.__code__

    @property
    def source(self) -> str:
        """The source of the generated function."""
        self.compile()
        return str(self.function.__turbostar_source__)

    @property
    def is_compiled(self) -> bool:
        return self.function.__code__ is not self._cold

    def compile(self) -> None:
        """Compile it for the wiring that is in force."""
        wiring = self._current()
        with wiring.lock:
            code = self._kept.get(wiring)
            if code is None:
                wiring.check(self.call.root)
                made = compiled(self.call, wiring, self.name)
                self.function.__turbostar_source__ = made.__turbostar_source__
                code = self._kept[wiring] = wiring.names.kept_by(made.__code__)
            self.function.__code__ = code
        if self._current() is not wiring:  # an override has begun or ended in another thread
            self.forget(wiring)
            self.switch()

    async def _compile_and_call(self, *args: Any, **kwargs: Any) -> Any:
        self.compile()
        return await self.function(*args, **kwargs)

    def switch(self) -> None:
        """Let what was compiled for the wiring that is now in force stand again."""
        self.function.__code__ = self._kept.get(self._current(), self._cold)

    def reset(self) -> None:
        """Drop all that was compiled."""
        self._kept.clear()
        self.function.__code__ = self._cold

    def forget(self, wiring: Wiring) -> None:
        """Drop what was compiled for a wiring."""
        self._kept.pop(wiring, None)


def _passed(signature: str) -> list[str]:
    return [each.strip() for each in signature.split(",") if each.strip() not in ("", "/")]


def compiled(call: Call, wiring: Wiring, name: str) -> Any:
    """Generate the function that makes what a handler needs, and calls it."""
    try:
        source = _source(call, wiring, name, scoped=call.shared is not None)
    except NeedsScope:
        source = _source(call, wiring, name, scoped=True)
    return execute(source, name, wiring.names.namespace)


def _source(call: Call, wiring: Wiring, name: str, *, scoped: bool) -> str:
    taken = {each.lstrip("*") for each in _passed(call.signature)}
    emitter = Emitter(
        wiring,
        level=len(wiring.registry.scopes) - 1,
        scope="scope" if scoped else None,
        given=call.given,
        taken=taken | call.variables,
    )
    invoke = _invocation(call, wiring, emitter)
    writer = Writer()
    with writer.block(f"async def {name}({call.signature}):"):
        if call.shared is not None:
            _write_shared(writer, call, [*call.prelude, *emitter.lines], invoke)
            return writer.source
        if scoped:
            _open_scope(writer, call, wiring)
        elif emitter.opens:
            writer.line("opened = []")
        if scoped or emitter.opens:
            _write_guarded(writer, call, [*call.prelude, *emitter.lines], invoke, scoped=scoped)
        else:
            writer.add([*call.prelude, *emitter.lines])
            writer.line(f"return {invoke}")
    return writer.source


def _invocation(call: Call, wiring: Wiring, emitter: Emitter) -> str:
    """The expression that calls the handler; what it needs is written before."""
    written: list[str] = list(call.passed[:1])
    by_name = bool(call.passed)
    for argument in call.arguments:
        source = argument.source
        value = source if isinstance(source, str) else emitter.value(source)
        if value is None:
            by_name = True
        elif by_name or argument.by_name:
            written.append(f"{argument.parameter}={value}")
        else:
            written.append(value)
    written += call.passed[1:]
    target = wiring.names.enter(call.function, label_of(call.function).rpartition(".")[2])
    if call.in_thread:
        return f"await in_thread({', '.join([target, *written])})"
    invoked = f"{target}({', '.join(written)})"
    is_async = kind_of(call.function) is Kind.COROUTINE and not is_indirect(call.function)
    return f"await {invoked}" if is_async else f"await awaited({invoked})"


def _open_scope(writer: Writer, call: Call, wiring: Wiring) -> None:
    context = ", ".join(
        f"{wiring.names.enter(wiring.context_key(key), f'key_{identifier(str(key))}')}: {value}"
        for key, value in call.given.items()
    )
    opener = wiring.names.enter(wiring.open, "open_scope")
    writer.line(f"context = {{{context}}}")
    writer.line(f"scope = {opener}(context)")


def _write_shared(writer: Writer, call: Call, lines: list[str], invoke: str) -> None:
    """The lines, where somebody else closes the scope and is to know what was raised."""
    writer.line(f"scope = {call.shared}")
    with writer.block("try:"):
        writer.add(lines)
        writer.line(f"return {invoke}")
    with writer.block("except BaseException as exc:"):
        writer.line("scope.failure = exc")
        writer.line("raise")


def _write_guarded(
    writer: Writer, call: Call, lines: list[str], invoke: str, *, scoped: bool
) -> None:
    """The lines, within the try that runs the finalizers."""
    opened = "ended(scope)" if scoped else "opened"
    with writer.block("try:"):
        writer.add(lines)
        writer.line(f"result = {invoke}")
    with writer.block("except BaseException as exc:"):
        writer.line(f"await unwind({opened}, exc)")
        writer.line("raise")
    if call.finish is None:
        writer.line(f"await {call.close}({opened})")
        writer.line("return result")
    else:
        # Until the response was sent, more may be asked of a scope.
        writer.line(f"return {call.finish}(result, {'scope' if scoped else opened})")


def reached_singletons(wiring: Wiring, handlers: Sequence[Handler]) -> list[Provider]:
    """The singletons that handlers need, each after those it needs itself."""
    found: dict[Provider, None] = {}
    seen: set[Provider] = set()

    def visit(needs: Iterable[Need]) -> None:
        for need in needs:
            for provider in wiring.registry.resolve(need) or ():
                if provider in seen:
                    continue
                seen.add(provider)
                visit(wiring.registry.needs(provider))
                if provider.scope == APP and provider.kind not in (Kind.VALUE, Kind.CONTEXT):
                    found[provider] = None

    for handler in handlers:
        visit(handler.call.root.needs)
    return list(found)
