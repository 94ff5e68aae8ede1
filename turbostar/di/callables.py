"""What callables take: their signatures, and where the hints in these belong."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from turbostar.di.errors import UnresolvableHint
from turbostar.di.generics import annotations_of
from turbostar.di.keys import label_of, outermost

__all__ = ["VARIABLE", "annotated", "signature_of"]

#: The kinds of ``*args`` and ``**kwargs``.
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def signature_of(target: Any) -> inspect.Signature:
    """The signature of a callable, be it one that `inspect` reads in part only.

    Raises:
        UnresolvableHint: it has none.
    """
    if hasattr(target, "__struct_fields__"):
        return _signature_of_struct(target)
    try:
        found = _inspected(target)
        if isinstance(target, type) and type(target).__call__ is not type.__call__:
            return _signature_of_made(target, found)
        return found
    except (TypeError, ValueError, NameError) as exc:
        raise UnresolvableHint(
            f"{label_of(target)} has no signature that can be read",
            "provide it by a function whose parameters are annotated",
        ) from exc


def _inspected(target: Any) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(target, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(target)


def _signature_of_made(cls: Any, found: inspect.Signature) -> inspect.Signature:
    """The signature of a class whose metaclass takes anything, to pass it on: its own."""
    if any(each.kind not in VARIABLE for each in found.parameters.values()):
        return found
    for name in ("__init__", "__new__"):
        function = getattr(cls, name)
        if function is not getattr(object, name):
            own = _inspected(function)
            return own.replace(parameters=list(own.parameters.values())[1:])
    return inspect.Signature()


def _signature_of_struct(struct: Any) -> inspect.Signature:
    """The signature of a msgspec Struct, whose own is read only where all hints resolve."""
    fields = struct.__struct_fields__
    defaults = struct.__struct_defaults__
    first = len(fields) - len(defaults)
    empty = inspect.Parameter.empty
    parameters = []
    for index, name in enumerate(fields):
        default = defaults[index - first] if index >= first else empty
        default = empty if repr(default) == "NODEFAULT" else default
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    return inspect.Signature(parameters)


def annotated(target: Any) -> tuple[Any, dict[str, Any]]:
    """The function that the hints of a callable belong to, and hints its signature lacks."""
    target = outermost(target)
    if isinstance(target, type):
        init = inspect.unwrap(target.__init__)  # type: ignore[misc]
        if inspect.isfunction(init):
            return init, {}
        hints: dict[str, Any] = {}
        for base in reversed(target.__mro__):
            hints.update(annotations_of(base))
        return None, hints
    if not inspect.isroutine(target):  # an object with a method __call__
        target = type(target).__call__
    return inspect.unwrap(getattr(target, "__func__", target)), {}
