"""Generated functions: how their source is written, kept and executed."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import keyword
import linecache
import re
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

__all__ = ["Names", "Writer", "execute", "identifier"]


class Writer:
    """Lines of source, indented."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0

    def line(self, text: str) -> None:
        """Add a line at the present depth."""
        self.lines.append("    " * self._depth + text)

    def add(self, lines: list[str]) -> None:
        """Add lines below the present depth."""
        for text in lines:
            self.line(text)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is added within belongs to a compound statement."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"


def execute(source: str, name: str, namespace: dict[str, Any]) -> Any:
    """Return the function that a source defines, with `namespace` as its globals.

    The source is kept on the function, as ``__turbostar_source__``, and where tracebacks and
    debuggers look for lines. One source has one file name, so that compiling again adds nothing.
    """
    digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()[:8]
    filename = f"<turbostar.di {name} {digest}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    made: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace, made)
    function: Callable[..., Any] = made[name]
    function.__turbostar_source__ = source  # type: ignore[attr-defined]
    function.__module__ = __name__
    return function


def identifier(label: str) -> str:
    """A label as an identifier in lower case: ``SqlRepo[User]`` becomes ``sql_repo_user``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", label.rpartition(".")[2] or label)
    name = re.sub(r"_+", "_", words).strip("_").lower()
    return name if name and not name[0].isdigit() else f"value_{name}".rstrip("_")


#: Parameters and variables of generated functions, which no global may be named like.
_LOCAL = frozenset(
    [
        "args",
        "call_next",
        "close_code",
        "context",
        "data",
        "exc",
        "kwargs",
        "opened",
        "path",
        "request",
        "result",
        "scope",
        "self",
        "values",
        "waiters",
        "websocket",
    ]
)


class Names:
    """The globals of generated functions.

    Those of one container share a namespace, which holds the singletons as well. What belongs to an
    override is entered by a child, and leaves with it.

    Attributes:
        namespace: values by their names.
    """

    def __init__(self, parent: Names | None = None, **values: Any) -> None:
        self._parent = parent
        self.namespace: dict[str, Any] = parent.namespace if parent else dict(values)
        self._used_locally: set[str] = parent._used_locally if parent else set(_LOCAL)
        self._entered: dict[int, tuple[str, Any]] = {}
        self._own: list[str] = []
        self._keeper: _Keeper | None = _Keeper(self)

    def reserve(self, wish: str, value: Any = None) -> str:
        """Enter a value under a name of its own, as near to `wish` as can be."""
        wish = re.sub(r"\W+", "_", wish)
        wish = wish if wish.isidentifier() else f"value_{wish}"
        name, number = wish, 1
        while name in self.namespace or name in self._used_locally or _is_taken(name):
            number += 1
            name = f"{wish}_{number}"
        self.namespace[name] = value
        self._own.append(name)
        return name

    def enter(self, value: Any, wish: str) -> str:
        """The name of a constant: the same for the same object."""
        each: Names | None = self
        while each is not None:
            if id(value) in each._entered:
                return each._entered[id(value)][0]
            each = each._parent
        name = self.reserve(wish, value)
        self._entered[id(value)] = (name, value)
        return name

    def local(self, wish: str, taken: set[str]) -> str:
        """A name for a local variable, which hides no global one, now or later."""
        taken |= _LOCAL
        name, number = wish, 1
        while name in taken or name in self.namespace or _is_taken(name):
            number += 1
            name = f"{wish}_{number}"
        taken.add(name)
        self._used_locally.add(name)
        return name

    def kept_by(self, code: CodeType) -> CodeType:
        """The same code, which keeps what was entered here for as long as it exists or runs."""
        return code.replace(co_consts=(*code.co_consts, self._keeper))

    def drop(self) -> None:
        """Remove all that was entered here, as soon as there is no code that keeps it."""
        self._keeper = None

    def forget(self) -> None:
        """Remove all that was entered here."""
        for name in self._own:
            self.namespace.pop(name, None)
        self._own.clear()
        self._entered.clear()


class _Keeper:
    """Whoever has it needs what was entered in names, which is removed with it."""

    __slots__ = ("_names",)

    def __init__(self, names: Names) -> None:
        self._names = names

    def __del__(self) -> None:
        self._names.forget()


def _is_taken(name: str) -> bool:
    return keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name)
