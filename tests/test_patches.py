"""What was seen of replaced functions is never taken for newer than it is, whatever threads do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import starlette.routing
from starlette.routing import Route

from turbostar._guard import patches


@pytest.fixture(autouse=True)
def looked_at() -> Iterator[None]:
    """See what a test has replaced, and then what was put back."""
    patches.look_again()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patches, "_fusable", (None, False))
        yield
    patches.look_again()


def wrapped(function: Any) -> Any:
    """What a tracer puts in the place of a method."""

    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def test_a_look_is_told_after_all_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until what was compiled before is stale, a request in another thread looks by itself."""
    while_marking: list[bool] = []
    all_changed = patches.all_changed

    def mark() -> None:
        while_marking.append(patches.unchanged())
        all_changed()
        while_marking.append(patches.unchanged())

    monkeypatch.setattr(patches, "all_changed", mark)
    with monkeypatch.context() as patch:
        patch.setattr(Route, "handle", wrapped(Route.handle))
        assert not patches.unchanged()
        patches.look_again()
        assert while_marking == [False, False]
        assert patches.unchanged()
    assert not patches.unchanged()
    patches.look_again()


def test_an_answer_begun_before_a_patch_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether requests may be fused is asked anew where somebody has looked meanwhile."""
    trusts = patches.trusts
    with monkeypatch.context() as patch:

        def trusts_slowly(target: str) -> bool:
            patch.setattr(patches, "trusts", trusts)
            wrap = starlette.routing.__dict__["wrap_app_handling_exceptions"]
            patch.setattr(starlette.routing, "wrap_app_handling_exceptions", wrapped(wrap))
            patches.look_again()
            return trusts(target)

        assert patches.can_fuse()
        patches.look_again()
        patch.setattr(patches, "trusts", trusts_slowly)
        assert patches.can_fuse()
        assert not patches.can_fuse()
    patches.look_again()
    assert patches.can_fuse()
