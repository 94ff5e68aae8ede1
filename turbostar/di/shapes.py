"""Types of bodies and queries: their fields, and whether they can be decoded at all."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Annotated, Any, Union

import msgspec
from msgspec import inspect as kinds

from turbostar.di.generics import plain
from turbostar.di.keys import show

__all__ = ["body_fault", "fields_of", "inner", "is_optional", "is_several", "query_fault"]

_SEVERAL = (
    kinds.ListType,
    kinds.SetType,
    kinds.FrozenSetType,
    kinds.VarTupleType,
    kinds.TupleType,
)
_OF_FIELDS = (
    kinds.StructType,
    kinds.DataclassType,
    kinds.TypedDictType,
    kinds.NamedTupleType,
    kinds.DictType,
)
_PLAIN: tuple[Any, ...] = ({}, [], "", 0, 0.0, True, None)
_REPAIR = "a Struct, a dataclass, a TypedDict, an attrs class, or built-in types"


def inner(hint: Any) -> Any:
    """A type without its constraints, without None, and without the names it goes by."""
    while True:
        hint = plain(hint)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Annotated:
            hint = arguments[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif origin in (Union, types.UnionType):
            arms = [arm for arm in arguments if arm is not type(None)]
            if len(arms) != 1:
                return hint
            hint = arms[0]
        else:
            return hint


def is_optional(hint: Any) -> bool:
    """Whether None is one of its values."""
    return any(isinstance(each, kinds.NoneType) for each in _arms(kinds.type_info(hint)))


def is_several(hint: Any) -> bool:
    """Whether a query may give it more than once, as a list."""
    return any(isinstance(each, _SEVERAL) for each in _arms(kinds.type_info(hint)))


def fields_of(hint: Any) -> dict[str, tuple[Any, bool]] | None:
    """Of a type of objects, for each field its type and whether it must be there; else None.

    Fields have the names that they have in messages.
    """
    hint = inner(hint)
    try:
        return _known_fields(hint)
    except TypeError:  # not hashable
        return _fields(hint)


def _fields(hint: Any) -> dict[str, tuple[Any, bool]] | None:
    origin = typing.get_origin(hint) or hint
    if not isinstance(origin, type):
        return None
    if issubclass(origin, msgspec.Struct):
        if origin.__struct_config__.array_like or origin.__struct_config__.tag_field:
            return None
        return {
            each.encode_name: (each.type, each.required) for each in msgspec.structs.fields(hint)
        }
    info = kinds.type_info(hint)
    if not isinstance(info, kinds.DataclassType | kinds.TypedDictType):
        return None
    hints = typing.get_type_hints(origin, include_extras=True)
    return {each.encode_name: (_init(hints[each.name]), each.required) for each in info.fields}


# Each part of a body that is wrong is looked at, and reading a type takes longer than decoding it.
_known_fields = functools.lru_cache(maxsize=256)(_fields)


def _init(hint: Any) -> Any:
    """A field's type without what a TypedDict says of its being there."""
    if typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        return typing.get_args(hint)[0]
    return hint.type if isinstance(hint, dataclasses.InitVar) else hint


def body_fault(hint: Any) -> tuple[str, str] | None:
    """Why no JSON can be decoded as a type, and what to do; None if it can."""
    try:
        msgspec.json.Decoder(hint)
        waiting: list[Any] = [kinds.type_info(hint)]
    except (TypeError, NameError, ValueError, AttributeError) as exc:
        return f"which cannot be decoded: {exc}", f"decode {_REPAIR}"
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, tuple):
            waiting += each
        if not isinstance(each, kinds.Type | kinds.Field) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, kinds.CustomType) and not _is_plain(each.cls):
            what = show(each.cls)
            within = "it" if each.cls is hint else f"{what}, which is in it,"
            return f"and nobody can tell how {within} is written as JSON", f"decode {_REPAIR}"
        waiting += [getattr(each, name) for name in each.__struct_fields__]
    return None


def _is_plain(cls: Any) -> bool:
    """Whether it is what some JSON is taken for as it is: `object`, or an abstract class."""
    try:
        return any(isinstance(each, cls) for each in _PLAIN)
    except TypeError:  # a protocol that is not for such questions
        return False


def query_fault(hint: Any) -> tuple[str, str] | None:
    """Why no query string can be decoded as a type, and what to do; None if it can."""
    fault = body_fault(hint)
    if fault is not None:
        return fault
    fields = fields_of(hint)
    wanted = {"": hint} if fields is None else {name: each for name, (each, _) in fields.items()}
    for name, each in wanted.items():
        if not _is_text(kinds.type_info(each), several=True):
            what = f"whose field {name!r}" if name else "which"
            return (
                f"{what} no query string can hold",
                "take numbers, texts, dates, enumerations, lists of these, or a class with such "
                "fields",
            )
    return None


def _arms(info: kinds.Type) -> tuple[kinds.Type, ...]:
    info = _unnamed(info)
    return tuple(map(_unnamed, info.types)) if isinstance(info, kinds.UnionType) else (info,)


def _unnamed(info: kinds.Type) -> kinds.Type:
    return _unnamed(info.type) if isinstance(info, kinds.Metadata) else info


def _is_text(info: kinds.Type, *, several: bool) -> bool:
    """Whether a value of a type can be written as one text, or as several where these are kept."""
    for each in _arms(info):
        if isinstance(each, _SEVERAL):
            items = each.item_types if isinstance(each, kinds.TupleType) else (each.item_type,)
            if several and all(_is_text(item, several=False) for item in items):
                return True
        elif not isinstance(each, _OF_FIELDS):
            return True
    return False
