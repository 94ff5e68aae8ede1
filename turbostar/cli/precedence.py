"""Which of several options counts: command line before environment before pyproject.toml."""

from __future__ import annotations

from typing import Any

__all__ = ["is_given", "settle", "settle_before"]

# As click calls them; what is in none of them is a default.
_SOURCES = ("COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP")


def is_given(context: Any, name: str) -> bool:
    """Whether the command line itself gives this parameter."""
    return _rank(context, name) == 0


def settle(context: Any, *alternatives: tuple[str, ...]) -> None:
    """Settle which of several parameters count that exclude each other.

    Of these alternatives, those give way, and become None or False, that come from a weaker source
    than another one: `quick = true` in pyproject.toml to `--rounds` on the command line. What
    comes from the same source stays, for the command to refuse.

    Args:
        context: the command's, as click or typer has it.
        alternatives: the names of parameters that go together.
    """
    ranks = [min(_rank(context, name) for name in names) for names in alternatives]
    best = min(ranks)
    for rank, names in zip(ranks, alternatives, strict=True):
        for name in names if rank > best else ():
            value = context.params[name]
            context.params[name] = False if isinstance(value, bool) else None


def settle_before(command: Any, *alternatives: tuple[str, ...]) -> None:
    """Have a command of click's or typer's settle them before it is run."""
    run = command.invoke

    def invoke(context: Any) -> Any:
        settle(context, *alternatives)
        return run(context)

    command.invoke = invoke


def _rank(context: Any, name: str) -> int:
    """How far from the command line a value comes; the higher, the weaker."""
    value = context.params.get(name)
    if value is None or value is False:
        return len(_SOURCES)
    source = getattr(context.get_parameter_source(name), "name", "")
    return _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)
