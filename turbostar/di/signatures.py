"""Handlers of Starlette: what each of their parameters is."""

from __future__ import annotations

import inspect
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from starlette._utils import is_async_callable
from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    PathConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.datastructures import State
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from turbostar.di.container import Container
from turbostar.di.errors import ParameterMismatch
from turbostar.di.generics import class_of, plain
from turbostar.di.handlers import Argument, Call
from turbostar.di.hints import Parameter, need_of, parameters_of
from turbostar.di.keys import Key, label_of, place_of, show
from turbostar.di.markers import BODY, INJECT, QUERY
from turbostar.di.middleware import shared_source
from turbostar.di.payloads import BodyDecoder, QueryDecoder
from turbostar.di.shapes import body_fault, query_fault

__all__ = ["Convertors", "SignatureReader"]

Convertors = Mapping[str, Convertor[Any]]
_CONVERTED: dict[type[Convertor[Any]], type] = {
    StringConvertor: str,
    PathConvertor: str,
    IntegerConvertor: int,
    FloatConvertor: float,
    UUIDConvertor: uuid.UUID,
}


#: What handlers are called with whatever they ask for, by their kind.
_FIXED = {
    "exception": ["request", "exc"],
    "dispatch": ["request", "call_next"],
    "on_connect": ["websocket"],
    "on_receive": ["websocket", "data"],
    "on_disconnect": ["websocket", "close_code"],
}


class SignatureReader:
    """Reads from a handler's signature what it is to be called with.

    Args:
        container: where dependencies come from.
        function: the handler.
        kind: "http", "websocket", "exception", "dispatch", or a method of `WebSocketEndpoint`.
        convertors: of the path parameters, those of mounts included.
        is_method: its first parameter is ``self``.
        finish: name and value of what takes over finalizers that wait for the response.
        shared: the request has a scope already.
        max_body_size: how many bytes a body may have.
    """

    def __init__(
        self,
        container: Container,
        function: Any,
        kind: str,
        convertors: Convertors,
        is_method: bool,
        finish: tuple[str, Any] | None,
        shared: bool,
        max_body_size: int | None,
    ) -> None:
        self.container = container
        self.registry = container.wiring.registry
        self.finish = finish
        self.shared = shared
        self.max_body_size = max_body_size
        self.function = function
        self.kind = kind
        self.convertors = convertors
        self.is_websocket = kind == "websocket" or kind.startswith("on_")
        self.conn = "websocket" if self.is_websocket else "request"
        self.signature = (["self"] if is_method else []) + _FIXED.get(kind, [self.conn])
        self.prelude: list[str] = []
        self.variables: set[str] = set()
        self.asks = False

    def call(self) -> Call | None:
        """How the handler is called; None if Starlette can call it by itself."""
        parameters = parameters_of(self.function, self.registry.known)
        arguments: list[Argument] = []
        fixed = list(self.signature) if self.kind in _FIXED else []
        if self.signature[0] == "self" and not fixed:
            fixed = ["self"]
        for index, parameter in enumerate(parameters):
            if index < len(fixed):
                arguments.append(Argument(parameter.name, fixed[index]))
                continue
            source = self._source(parameter, index == len(fixed))
            if source is not None:
                arguments.append(Argument(parameter.name, source, parameter.by_name))
        if not self.asks:
            return None
        is_async = is_async_callable(self.function)
        return Call(
            self.function,
            ", ".join(self.signature),
            named_after_gap(parameters, arguments),
            given=self._given(),
            prelude=self.prelude,
            variables=self.variables,
            finish=self._finish(),
            close="close" if self.is_websocket else "close_before",
            in_thread=not is_async,
            shared=shared_source(self.container, self.conn) if self.shared else None,
        )

    def _finish(self) -> str | None:
        if self.is_websocket or self.finish is None:
            return None
        name, value = self.finish
        return self.container.names.enter(value, name)

    def _given(self) -> dict[Key, str]:
        hint = WebSocket if self.is_websocket else Request
        return {
            Key(hint): self.conn,
            Key(HTTPConnection): self.conn,
            Key(State): f"{self.conn}.state",
        }

    def _source(self, parameter: Parameter, is_first: bool) -> Any:
        """Where an argument comes from: an expression, a need, or nowhere."""
        hint = parameter.bare
        cls = class_of(hint) or hint  # ``Request[State]`` is a request, too
        if isinstance(cls, type) and issubclass(cls, HTTPConnection):
            return self.conn
        is_bare = parameter.hint is inspect.Parameter.empty
        if is_first and is_bare and parameter.name not in self.convertors:
            return self.conn
        self.asks = True
        if parameter.marker is BODY:
            return self._body(parameter)
        if parameter.marker is QUERY:
            return self._query(parameter)
        if hint is State:
            return f"{self.conn}.state"
        if parameter.name in self.convertors and parameter.marker is not INJECT:
            return self._path(parameter)
        if is_bare and parameter.has_default:
            return None
        return need_of(parameter, {}, self.function)

    def _path(self, parameter: Parameter) -> str:
        made = _made_by(self.convertors[parameter.name])
        if not _fits(made, parameter.hint):
            hint = show(parameter.bare)
            raise self._mismatch(
                f"takes {parameter.name!r} as {hint}, and its route gives {show(made)}",
                f"write the route as {{{parameter.name}:...}} with a convertor that gives {hint}, "
                f"such as {{{parameter.name}:int}} for int, or annotate the parameter as "
                f"{show(made)}",
            )
        line = f'path = {self.conn}.scope["path_params"]'
        if line not in self.prelude:
            self.prelude.append(line)
        return f"path[{parameter.name!r}]"

    def _mismatch(self, cause: str, repair: str) -> ParameterMismatch:
        where = f"{label_of(self.function)} ({place_of(self.function)})"
        return ParameterMismatch(f"{where} {cause}", repair)

    def _body(self, parameter: Parameter) -> str:
        if self.kind != "http":
            raise self._mismatch(
                "asks for a Body, and has no request that has one",
                "receive messages from the WebSocket, or use Query",
            )
        hint = parameter.decoded
        self._check(parameter, "Body", body_fault(hint))
        decoder = BodyDecoder(hint, self.max_body_size, _default_of(parameter))
        name = self._constant(f"read_{parameter.name}", decoder)
        local = self.container.names.local(f"{parameter.name}_body", self.variables)
        self.prelude.append(f"{local} = await {name}({self.conn})")
        return local

    def _query(self, parameter: Parameter) -> Any:
        hint = parameter.decoded
        self._check(parameter, "Query", query_fault(hint))
        decoder = QueryDecoder(hint, parameter.name, _default_of(parameter))
        name = self._constant(f"decode_{parameter.name}", decoder)
        local = self.container.names.local(f"{parameter.name}_query", self.variables)
        self.prelude.append(f'{local} = {name}({self.conn}.scope["query_string"])')
        return local

    def _check(self, parameter: Parameter, what: str, fault: tuple[str, str] | None) -> None:
        if fault is not None:
            shown = f"{what}[{show(parameter.bare)}]"
            raise self._mismatch(f"takes {parameter.name!r} as {shown}, {fault[0]}", fault[1])

    def _constant(self, wish: str, value: Any) -> str:
        return self.container.names.reserve(wish, value)


def _default_of(parameter: Parameter) -> Any:
    return parameter.default if parameter.has_default else msgspec.UNSET


def _made_by(convertor: Convertor[Any]) -> Any:
    """What a convertor gives; `Any` if it does not say."""
    made = _CONVERTED.get(type(convertor))
    if made is not None:
        return made
    try:
        return plain(typing.get_type_hints(convertor.convert).get("return", Any))
    except Exception:  # it names something that is imported for type checkers only
        return Any


def _fits(made: Any, hint: Any) -> bool:
    """Whether what a convertor gives is what a parameter takes, as far as can be told."""
    hint = plain(hint)
    if isinstance(hint, typing.NewType):
        return _fits(made, hint.__supertype__)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _fits(made, arguments[0])
    if origin in (typing.Union, types.UnionType):
        return any(_fits(made, arm) for arm in arguments)
    if made is Any or hint in (Any, inspect.Parameter.empty) or not isinstance(made, type):
        return True
    if origin is typing.Literal:
        return all(isinstance(each, made) for each in arguments)
    if not isinstance(hint, type):
        return True
    return issubclass(made, hint) or (made is int and hint in (float, complex))


def named_after_gap(parameters: list[Parameter], arguments: list[Argument]) -> list[Argument]:
    """Arguments by name where one before them is left out."""
    given = {each.parameter: each for each in arguments}
    by_name = False
    found = []
    for parameter in parameters:
        argument = given.get(parameter.name)
        if argument is None:
            by_name = True
        else:
            found.append(argument._replace(by_name=argument.by_name or by_name))
    return found
