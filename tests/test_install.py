"""`install` accelerates Starlette in place, and `uninstall` leaves no trace."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import starlette.applications
import starlette.requests
import starlette.responses
from starlette.responses import JSONResponse

import turbostar
import turbostar.responses
import turbostar.routing
from turbostar._attach import install as _install
from turbostar._guard.sources import VERIFIED_RELEASES, _log, fingerprint, objection
from turbostar._guard.table import TABLE, Acceleration
from turbostar._http.json_responses import json_response_render


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    turbostar.uninstall()
    yield
    turbostar.uninstall()


def snapshot() -> dict[str, Any]:
    return {entry.target: vars(entry.owner).get(entry.name, "absent") for entry in TABLE}


def test_install_replaces_what_the_table_says_and_uninstall_restores_it() -> None:
    """Every line of the table is applied, and the originals come back as the same objects."""
    before = snapshot()
    namespaces = {entry.owner: dict(vars(entry.owner)) for entry in TABLE}
    turbostar.install()
    assert turbostar.installed()
    assert snapshot() == {
        entry.target: "absent" if entry.is_inherited else entry.replacement for entry in TABLE
    }
    turbostar.uninstall()
    assert not turbostar.installed()
    assert snapshot() == before
    for owner, namespace in namespaces.items():
        assert dict(vars(owner)) == namespace


def test_installing_twice_is_installing_once() -> None:
    """A second install() changes nothing, so that one uninstall() undoes both."""
    before = snapshot()
    turbostar.install()
    during = snapshot()
    turbostar.install()
    assert snapshot() == during
    turbostar.uninstall()
    assert snapshot() == before


def test_uninstall_without_install_changes_nothing() -> None:
    """uninstall() may be called at any time."""
    before = snapshot()
    turbostar.uninstall()
    assert snapshot() == before


def test_threads_may_race_to_install() -> None:
    """With many threads installing at once the originals are still Starlette's."""
    before = snapshot()
    barrier = threading.Barrier(8)

    def race() -> None:
        barrier.wait()
        turbostar.install()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turbostar.uninstall()
    assert snapshot() == before


def test_classes_keep_their_identity() -> None:
    """Types, modules, pickles and isinstance are untouched by install()."""
    response_before = JSONResponse({"a": 1})
    pickled = pickle.dumps(response_before)
    turbostar.install()
    app = starlette.applications.Starlette()
    assert type(app) is starlette.applications.Starlette
    assert JSONResponse.__module__ == "starlette.responses"
    assert starlette.requests.Request.__module__ == "starlette.requests"
    assert isinstance(response_before, JSONResponse)
    assert pickle.loads(pickled).body == b'{"a":1}'
    assert pickle.loads(pickle.dumps(JSONResponse({"a": 1}))).body == b'{"a":1}'


def test_subclasses_made_before_are_accelerated_too() -> None:
    """A subclass that exists already gets the new method, unless it has its own."""

    class Inherits(JSONResponse):
        pass

    class Overrides(JSONResponse):
        def render(self, content: Any) -> bytes:
            return b"mine"

    turbostar.install()
    assert Inherits.render is json_response_render
    assert Inherits({"when": 1e16}).body == b'{"when":1e16}'
    assert Overrides({}).body == b"mine"
    assert Overrides({}).raw_headers[0] == (b"content-length", b"4")


def test_swapped_and_installed_code_mix() -> None:
    """turbostar's own classes go on working while Starlette's are accelerated."""
    turbostar.install()
    response = turbostar.responses.JSONResponse({"a": None})
    assert isinstance(response, JSONResponse)
    assert response.body == JSONResponse({"a": None}).body == b'{"a":null}'


def test_a_method_patched_by_others_first_stays_theirs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What somebody else replaced before install() is left alone, and the log says so."""

    def render(self: JSONResponse, content: Any) -> bytes:
        return b"patched"

    _log.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(JSONResponse, "render", render)
        with caplog.at_level(logging.WARNING, "turbostar"):
            turbostar.install()
        assert JSONResponse({}).body == b"patched"
        assert "JSONResponse.render has been replaced by tests.test_install" in caplog.text
        turbostar.uninstall()
        assert JSONResponse.render is render
    _log.cache_clear()


def test_a_method_patched_by_others_afterwards_is_left_to_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """uninstall() does not throw away a patch made over ours; both go on answering."""
    original = JSONResponse.render
    turbostar.install()
    ours = JSONResponse.render

    def render(self: JSONResponse, content: Any) -> bytes:
        return bytes(ours(self, content)) + b"!"

    JSONResponse.render = render  # type: ignore[method-assign]
    try:
        with caplog.at_level(logging.WARNING, "turbostar"):
            turbostar.uninstall()
        assert JSONResponse({}).body == b"{}!"
        assert "JSONResponse.render has been patched since install()" in caplog.text
    finally:
        JSONResponse.render = original  # type: ignore[method-assign]


def test_the_table_was_written_against_the_installed_starlette() -> None:
    """The fingerprints are those of the sources, so that a changed Starlette fails here first."""
    assert starlette.__version__ in VERIFIED_RELEASES["starlette"], (
        "compare the sources, then add the release"
    )
    for entry in TABLE:
        if entry.fingerprint is not None:
            assert fingerprint(vars(entry.owner)[entry.name]) == entry.fingerprint, entry.target
        assert objection(entry) == ""


def test_a_changed_starlette_stays_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another release a method with an unknown source is not replaced; a known one is."""
    monkeypatch.setattr(starlette, "__version__", "1.99.0")
    entry = next(entry for entry in TABLE if entry.fingerprint is not None)
    assert objection(entry) == ""
    changed = entry._replace(fingerprint="0" * 16)
    assert objection(changed) == f"{entry.target} has changed in Starlette 1.99.0"


def test_a_vanished_attribute_stays_stock() -> None:
    """A class or method that a newer Starlette no longer has is no error."""
    for target in ("starlette.responses:Vanished.render", "starlette.responses:JSONResponse.gone"):
        entry = Acceleration(
            target, "turbostar._http.json_responses:json_response_render", "0" * 16
        )
        assert "does not exist in Starlette" in objection(entry)


def test_an_addition_that_starlette_has_by_now_is_refused() -> None:
    """An attribute that we would add is not laid over one of Starlette's."""
    entry = Acceleration("starlette.responses:JSONResponse.media_type", "turbostar:install", None)
    assert "exists in Starlette" in objection(entry)


def test_import_swapped_classes_hold_the_functions_of_the_table() -> None:
    """What install() attaches to Starlette's class is what turbostar's subclass holds."""
    turbostar.routing.Router()  # classes follow at the latest when something is built
    for entry in TABLE:
        ours = getattr(
            __import__(entry.module.__name__.replace("starlette", "turbostar"), fromlist=["_"]),
            entry.owner.__name__,
        )
        if ours is entry.owner:  # a base class, which is not swapped: others' are instances of it
            continue
        assert vars(ours)[entry.name] is entry.replacement


def test_logging_of_install_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """On a known Starlette there is nothing to warn about."""
    _log.cache_clear()
    with caplog.at_level(logging.WARNING, "turbostar"):
        _install.install()
    assert caplog.text == ""


IN_EITHER_ORDER = """
import importlib, sys
import turbostar
from turbostar._guard import swapped

if sys.argv[1] == "installed first":
    turbostar.install()
modules = ("applications", "endpoints", "requests", "responses", "routing")
layers = ("base", "body_limit", "cors", "exceptions", "gzip", "httpsredirect", "sessions")
for name in (*modules, *(f"middleware.{name}" for name in layers)):
    importlib.import_module(f"turbostar.{name}")
turbostar.install()
for undo in (lambda: None, turbostar.uninstall):
    undo()
    for cls, entry in swapped._swapped:
        print(cls, entry.target, vars(cls).get(entry.name) is entry.replacement)
"""


def test_import_swapped_classes_are_the_same_when_imported_after_install() -> None:
    """They have our functions, and nothing is said to stay stock that does not."""
    seen = [
        subprocess.run(
            [sys.executable, "-c", IN_EITHER_ORDER, order], capture_output=True, text=True
        )
        for order in ("imported first", "installed first")
    ]
    assert [found.stderr for found in seen] == ["", ""]
    assert sorted(seen[0].stdout.splitlines()) == sorted(seen[1].stdout.splitlines())
    assert seen[0].stdout.count("True") > 60
    assert "False" not in seen[0].stdout
