"""The ways in which an instrumentation, turbostar and an application come together."""

from __future__ import annotations

import pytest

from tests.patching.processes import assert_same, outcome

each_mode = pytest.mark.parametrize("mode", ["install", "swap"])
each_order = pytest.mark.parametrize("first", ["turbostar", "tool"])
each_layers = pytest.mark.parametrize("layers", ["bare", "with middleware"])


def compare(
    tool: str,
    how: str,
    *,
    mode: str = "install",
    first: str = "turbostar",
    layers: str,
    framework: str = "application",
) -> None:
    """Run a case on stock and on turbostar: same answers, and the same told by the tool."""
    case = {"tool": tool, "how": how, "first": first, "framework": framework}
    stock = outcome("instrumented", disabled=True, mode="install", **case)[layers]
    assert any(step["recorded"] for step in stock), "the tool has recorded nothing"
    assert_same(stock, outcome("instrumented", mode=mode, **case)[layers])
