"""What the annotations of a model's body say."""

from __future__ import annotations

import builtins
import sys
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

from turbostar.orm.codegen import evaluated
from turbostar.orm.errors import ModelError

__all__ = ["Unresolved", "annotations_in", "caller_names"]


class Unresolved:
    """A name in an annotation that stands for a class defined later."""

    def __init__(self, name: str, optional: bool = False) -> None:
        self.name = name
        self.optional = optional

    def __or__(self, other: Any) -> Unresolved:
        return Unresolved(self.name, self.optional or other is None or other is type(None))

    __ror__ = __or__

    def __call__(self) -> None:  # typing takes only what can be called
        raise TypeError(self.name)

    def __repr__(self) -> str:
        return self.name


class _Names(dict[str, Any]):
    """Names of a class body, its function and its module; those not found yet stay names."""

    def __init__(self, *sources: Mapping[str, Any]) -> None:
        super().__init__()
        self.sources = sources

    def __missing__(self, name: str) -> Any:
        for source in self.sources:
            if name in source:
                return source[name]
        return Unresolved(name)


def caller_names(depth: int) -> Mapping[str, Any]:
    """The local names of the function that defines a class, `depth` calls up."""
    frame = sys._getframe(depth + 1)
    return dict(frame.f_locals)


def annotations_in(
    model: str, namespace: Mapping[str, Any], outer: Mapping[str, Any]
) -> dict[str, Any]:
    """The annotations of a class body, evaluated, class variables left out."""
    raw = dict(namespace.get("__annotations__", {}))
    if not raw and sys.version_info >= (3, 14):
        raw = _annotations_of_functions(namespace)
    module = sys.modules.get(namespace.get("__module__", ""))
    names = _Names(outer, vars(module) if module is not None else {}, vars(builtins))
    found: dict[str, Any] = {}
    for name, annotation in raw.items():
        value = annotation
        if isinstance(annotation, str):
            try:
                value = evaluated(annotation, names)
            except Exception as exc:
                raise ModelError(
                    f"{model}.{name}: the annotation {annotation!r} cannot be evaluated ({exc})"
                ) from exc
        if ClassVar not in (typing.get_origin(value), value):
            found[name] = value
    return found


def _annotations_of_functions(namespace: Mapping[str, Any]) -> dict[str, Any]:
    import annotationlib  # type: ignore[import-not-found,unused-ignore]

    annotate = annotationlib.get_annotate_from_class_namespace(namespace)
    if annotate is None:
        return {}
    form = annotationlib.Format.FORWARDREF
    found = annotationlib.call_annotate_function(annotate, form)
    return {name: _named(value) for name, value in found.items()}


def _named(value: Any) -> Any:
    """A forward reference of Python 3.14 as text, to be evaluated as text is elsewhere."""
    text = getattr(value, "__forward_arg__", None)
    return text if isinstance(text, str) else value
