"""What a middleware scene is built from: names of one package, a log, and parts that fill it."""

from __future__ import annotations
import __future__

import ast
import functools
import importlib
import inspect
import textwrap
import types
from collections.abc import Callable
from typing import Any

import anyio

from tests.differential.drive import Labels, plain, type_name
from tests.differential.modes import Mode, Namespace

MORE_NAMES: dict[str, tuple[str, ...]] = {
    "authentication": ("AuthCredentials", "AuthenticationError", "BaseUser", "SimpleUser"),
    "middleware.authentication": ("AuthenticationMiddleware",),
    "middleware.body_limit": ("RequestBodyLimitMiddleware",),
    "middleware.cors": ("CORSMiddleware",),
    "middleware.errors": ("ServerErrorMiddleware",),
    "middleware.exceptions": ("ExceptionMiddleware",),
    "middleware.gzip": ("GZipMiddleware",),
    "middleware.httpsredirect": ("HTTPSRedirectMiddleware",),
    "middleware.sessions": ("SessionMiddleware",),
    "middleware.trustedhost": ("TrustedHostMiddleware",),
    "routing": ("request_response",),
    "staticfiles": ("StaticFiles",),
}


class Names(Namespace):
    """What an application with middleware imports; its middleware may be of another package."""

    def __init__(self, package: str, middleware: str | None = None) -> None:
        super().__init__(package)
        for module, names in MORE_NAMES.items():
            for name in names:
                setattr(self, name, getattr(importlib.import_module(f"{package}.{module}"), name))
        if middleware is not None:
            other = Names(middleware)
            for name, value in vars(other).items():
                if name.endswith("Middleware"):
                    setattr(self, name, value)

    def __repr__(self) -> str:
        return self.package


names = functools.cache(Names)

#: Migrated by half: the middleware, or all but the middleware.
HALVES = (
    Mode("swapped but for middleware", lambda: names("turbostar", "starlette")),
    Mode("swapped middleware", lambda: names("starlette", "turbostar")),
)


class World:
    """One application, with what its parts tell.

    Attributes:
        log: of tuples whose first entry says who tells: the order of one's own entries is certain
            on every event loop, the order of two at once only on asyncio.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode, namespace = mode, mode.namespace()
        self.ns: Any = namespace if isinstance(namespace, Names) else names(namespace.package)
        self.log: list[tuple[Any, ...]] = []
        self.labels = Labels()
        self.kept: dict[str, Any] = {}
        self.happened: set[str] = set()
        self.awaited: dict[str, anyio.Event] = {}
        self.top: Any = None

    def tell(self, who: str, *what: Any) -> None:
        self.log.append((who, *map(self.of, what)))

    def returned(self, who: str, value: Any) -> Any:
        self.tell(who, "returned", value)
        return value

    def of(self, value: Any) -> Any:
        """Reduce a value to plain data that is equal where stock's and ours are the same."""
        if type(value) in (bytes, int, bool, type(None)):
            return value
        if isinstance(value, BaseException):
            return fault(value)
        if isinstance(value, memoryview):
            return "memoryview", value.tobytes()
        if isinstance(value, str):
            return plain(value)
        return self.labels.of(value)

    async def until(self, name: str) -> None:
        """Wait for something to happen to the request that is being served."""
        if name not in self.happened:
            await self.awaited.setdefault(name, anyio.Event()).wait()

    def happens(self, name: str) -> None:
        self.happened.add(name)
        if name in self.awaited:
            self.awaited[name].set()


def fault(exc: BaseException | None, depth: int = 6) -> Any:
    """What a traceback of the exception would show, but for its frames.

    Left out, as nobody's doing: the stream and the task group that it came through on stock. From
    there they get into the context, and with two middlewares into the cause, of every exception.
    """
    if exc is None or depth == 0:
        return None
    if isinstance(exc, anyio.get_cancelled_exc_class()):
        return "cancelled"
    found: list[Any] = [type_name(type(exc)), plain(str(exc)), exc.__suppress_context__]
    if exc.__cause__ is not None and not _passed(exc, exc.__cause__):
        found.append(["cause", fault(exc.__cause__, depth - 1)])
    context = None if exc.__suppress_context__ else exc.__context__
    if context is not None and not _passed(exc, context):
        found.append(["context", fault(context, depth - 1)])
    if isinstance(exc, BaseExceptionGroup):
        found.append([fault(member, depth - 1) for member in exc.exceptions])
    return found


def _passed(exc: BaseException, before: BaseException) -> bool:
    """Whether the exception only passed through what comes before it in a traceback."""
    if isinstance(before, BaseExceptionGroup):
        return any(member is exc or _passed(exc, member) for member in before.exceptions)
    return type(before) is anyio.EndOfStream


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


def dispatch(function: Any = None, /, **traits: Any) -> Any:
    """A dispatch function, written as `async def name(world, who, request, call_next)`."""
    if function is None:
        return functools.partial(dispatch, **traits)

    def make(world: World, who: str) -> Any:
        return woven(function, world, who)

    return Part(function.__name__, make, kind="dispatch", **traits)


def endpoint(function: Any = None, /, **traits: Any) -> Any:
    """An endpoint, written as `async def name(world, request)`."""
    if function is None:
        return functools.partial(endpoint, **traits)

    def make(world: World, who: str) -> Any:
        return woven(function, world, who)

    return Part(function.__name__, make, kind="endpoint", **traits)


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


def handler(function: Any = None, /, **traits: Any) -> Any:
    """An exception handler, written as `async def name(world, who, request, exc)`."""
    if function is None:
        return functools.partial(handler, **traits)

    def make(world: World, who: str) -> Any:
        return woven(function, world, who, 'world.tell(who, "handles", exc)')

    return Part(function.__name__, make, kind="handler", **traits)


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
