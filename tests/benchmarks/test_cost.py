"""The measures that run in processes of their own."""

from __future__ import annotations

import pytest
import starlette.applications

from benchmarks import cost
from benchmarks.asgi import Receive, Scope, Send
from benchmarks.sides import STOCK


@pytest.mark.parametrize("measure", ["route_table_memory", "build_time", "suspended_memory"])
def test_a_measure_prints_a_number(
    measure: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every measure finds something, on a small scale too."""
    for name in ("_ROUTES", "_BUILT_ROUTES", "_SUSPENDED"):
        monkeypatch.setattr(cost, name, 40)
    assert cost.main([measure, "stock"]) == 0
    assert float(capsys.readouterr().out) > 0


def test_what_paths_leave_behind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that remembers every path is told from one that does not."""
    monkeypatch.setattr(cost, "_PATHS", 6_000)
    monkeypatch.setattr(cost, "_WARM_UP_PATHS", 2_000)
    assert cost.distinct_paths(STOCK) < 4
    remembered: dict[str, bytes] = {}
    call = starlette.applications.Starlette.__call__

    async def remembering(
        self: starlette.applications.Starlette, scope: Scope, receive: Receive, send: Send
    ) -> None:
        remembered[scope["path"]] = bytes(8192)
        await call(self, scope, receive, send)

    monkeypatch.setattr(starlette.applications.Starlette, "__call__", remembering)
    assert cost.distinct_paths(STOCK) > 8
