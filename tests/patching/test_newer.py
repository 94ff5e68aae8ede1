"""On a Starlette that turbostar does not know, what has changed there is what runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.patching.matrix import each_mode
from tests.patching.newer import NO_SOURCES, NOTHING
from tests.patching.processes import assert_same, outcome
from turbostar._guard.table import BYPASSED, TABLE

RECORDED = {entry.target for entry in (*TABLE, *BYPASSED) if entry.fingerprint is not None}
#: The fast path does without these, or does the same by itself.
STOOD_IN_FOR = {
    "starlette._exception_handler:_lookup_exception_handler",
    "starlette._exception_handler:wrap_app_handling_exceptions",
    "starlette.applications:Starlette.build_middleware_stack",
    "starlette.middleware.exceptions:ExceptionMiddleware.http_exception",
    "starlette.requests:HTTPConnection.__init__",
    "starlette.requests:Request.stream",
    "starlette.responses:Response.__call__",
    "starlette.responses:Response.init_headers",
    "starlette.routing:request_response",
    "starlette.routing:websocket_session",
}
CHANGED = sorted(RECORDED | STOOD_IN_FOR)


def reports(mode: str, *, disabled: bool = False) -> dict[str, Any]:
    targets = [*CHANGED, NOTHING, NO_SOURCES]
    found: dict[str, Any] = outcome("newer", disabled=disabled, mode=mode, targets=targets)
    return found


@each_mode
@pytest.mark.parametrize("target", CHANGED)
def test_a_changed_function_is_run(mode: str, target: str) -> None:
    """Same answers, and the changed function is called as often as on the newer Starlette."""
    stock = reports("install", disabled=True)[target]
    assert_same(stock["steps"], reports(mode)[target]["steps"])


#: What turbostar does itself where imports are swapped, and Starlette where it is installed.
SWAPPED_ALONE = {"starlette.applications:Starlette.build_middleware_stack"}


@each_mode
@pytest.mark.parametrize("target", CHANGED)
def test_one_warning_names_the_changed_function(mode: str, target: str) -> None:
    """Once in a process, if the fast path would have stood in for it; and of nothing else."""
    warnings = reports(mode)[target]["warnings"]
    stock = reports("install", disabled=True)[target]["steps"]
    called = any(target.partition(":")[2] in step["log"] for step in stock)
    assert len(warnings) <= 1, warnings
    is_bypassed = target in RECORDED and (mode == "swap" or target not in SWAPPED_ALONE)
    assert len(warnings) == 1 or not is_bypassed or not called
    assert all(target in warning for warning in warnings)


@each_mode
def test_a_new_version_alone_changes_nothing(mode: str) -> None:
    """Where all sources are the known ones there is nothing to warn of."""
    ours = reports(mode)[NOTHING]
    assert_same(reports("install", disabled=True)[NOTHING]["steps"], ours["steps"])
    assert ours["warnings"] == []


@each_mode
def test_without_sources_it_still_answers(mode: str) -> None:
    """A Starlette of compiled files only cannot be compared: all stays stock, and a log says so."""
    ours = reports(mode)[NO_SOURCES]
    assert_same(reports("install", disabled=True)[NO_SOURCES]["steps"], ours["steps"])
    assert ours["warnings"]
    assert len(set(ours["warnings"])) == len(ours["warnings"])
