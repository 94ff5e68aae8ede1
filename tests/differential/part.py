"""The parts that scenes name: endpoints, dispatch functions, layers and handlers that tell all."""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.differential.world import World


class Part:
    """Something that a scene names: made anew, by `make(world, who)`, for each application."""

    def __init__(self, name: str, make: Callable[[World, str], Any], **traits: Any) -> None:
        self.name, self.make, self.traits = name, make, traits

    def __call__(self, world: World, who: str) -> Any:
        return self.make(world, who)

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # for hypothesis
        printer.text(self.name)


#: The endpoints that descriptions name.
ENDPOINTS: dict[str, Part] = {}

Make = Callable[["World", str], Any]


def named_endpoint(name: str, *, waits: bool = False) -> Callable[[Make], Make]:
    """Enter an endpoint by the name that descriptions use, given what makes it.

    Args:
        waits: it is only good on an event loop, for it waits or hops to a thread.
    """

    def enter(make: Make) -> Make:
        ENDPOINTS[name] = Part(name, make, kind="endpoint", waits=waits)
        return make

    return enter


async def told(world: World, who: str, call: Any) -> Any:
    """Await a call, and tell when it begins and how it ends."""
    world.tell(who, "called")
    try:
        value = await call
    except BaseException as exc:
        world.tell(who, "raised", exc)
        raise
    world.tell(who, "returned", value)
    return value


def woven(function: Any, world: World, who: str, before: str = "") -> Any:
    """The same function without its first arguments, `world` and `who`, and telling how it ends.

    No closure and no wrapper, which would hand its request on: the code itself is changed, so that
    what is read from its bytecode is what somebody's own function would say.

    Args:
        function: `async def name(world, who, ...)`, or without `who`.
        before: a statement that goes first.
    """
    code = _woven_code(function, before)
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    given = (world, who, *enclosed)
    return types.FunctionType(code, function.__globals__, function.__name__, given)


@functools.cache
def _woven_code(function: Any, before: str) -> types.CodeType:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.AsyncFunctionDef)
    names = [argument.arg for argument in definition.args.args]
    names = [name for name in names if name not in ("world", "who")]
    names += ["world", "who", *function.__code__.co_freevars]
    (made,) = ast.parse(_AROUND.format(arguments=", ".join(names), before=before or "pass")).body
    assert isinstance(made, ast.AsyncFunctionDef)
    around = made.body[-1]
    assert isinstance(around, ast.Try)
    told = _Told()
    around.body[:1] = [told.visit(statement) for statement in definition.body]
    module = ast.fix_missing_locations(ast.Module([made], []))
    found: dict[str, Any] = {}
    flags = __future__.annotations.compiler_flag
    exec(compile(module, function.__code__.co_filename, "exec", flags), {}, found)
    code: types.CodeType = found["woven"].__code__
    return code.replace(co_name=function.__name__, co_qualname=function.__qualname__)


_AROUND = """
async def woven({arguments}):
    {before}
    world.tell(who, "called")
    try:
        pass
        return world.returned(who, None)
    except BaseException as told:
        world.tell(who, "raised", told)
        raise
"""


class _Told(ast.NodeTransformer):
    """Lets a function tell what it returns, but not those within it."""

    def visit_Return(self, node: ast.Return) -> Any:
        value = node.value or ast.Constant(None)
        call = ast.parse("world.returned(who, 0)", mode="eval").body
        assert isinstance(call, ast.Call)
        call.args[1] = value
        return ast.copy_location(ast.Return(call), node)

    def visit_FunctionDef(self, node: Any) -> Any:
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_FunctionDef


def _woven_part(kind: str, before: str, function: Any, traits: dict[str, Any]) -> Any:
    if function is None:
        return lambda function: _woven_part(kind, before, function, traits)

    def make(world: World, who: str) -> Any:
        return woven(function, world, who, before)

    return Part(function.__name__, make, kind=kind, **traits)


def dispatch(function: Any = None, /, **traits: Any) -> Any:
    """A dispatch function, written as `async def name(world, who, request, call_next)`."""
    return _woven_part("dispatch", "", function, traits)


def endpoint(
    function: Any = None, /, *, name: str | None = None, waits: bool = False, **traits: Any
) -> Any:
    """An endpoint, written as `async def name(world, request)`, or with `who` between the two.

    Args:
        name: by which descriptions name it, if they do.
        waits: it is only good on an event loop, for it waits or hops to a thread.
    """
    if function is None:
        return functools.partial(endpoint, name=name, waits=waits, **traits)
    part = _woven_part("endpoint", "", function, {"waits": waits, **traits})
    if name is not None:
        ENDPOINTS[name] = part
    return part


def handler(function: Any = None, /, **traits: Any) -> Any:
    """An exception handler, written as `async def name(world, who, request, exc)`."""
    return _woven_part("handler", 'world.tell(who, "handles", exc)', function, traits)


def asgi(function: Any = None, /, **traits: Any) -> Any:
    """An ASGI application, written as `async def name(world, scope, receive, send)`."""
    if function is None:
        return functools.partial(asgi, **traits)

    def make(world: World, who: str) -> Any:
        class Application:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await told(world, who, function(world, scope, receive, send))

        return Application()

    return Part(function.__name__, make, kind="asgi", **traits)


def layer(function: Any = None, /, **traits: Any) -> Any:
    """A pure ASGI middleware: `async def name(world, who, app, scope, receive, send)`."""
    if function is None:
        return functools.partial(layer, **traits)

    def make(world: World, who: str) -> Any:
        class Layer:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await told(world, who, function(world, who, self.app, scope, receive, send))

        return world.ns.Middleware(Layer)

    return Part(function.__name__, make, kind="layer", **traits)
