"""The index of patterns: a superset of what matches, in order, and a small one."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, strategies as st
from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import compile_path

from turbostar._routing.index import Index, Shape, shape_of


def shape(path: str) -> Shape | None:
    regex, _, convertors = compile_path(path)
    return shape_of(path, regex, {name: found.regex for name, found in convertors.items()})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Shape("/", "", 1)),
        ("/a/b", Shape("/a/b", "/a", 2)),
        ("/a/{id:int}", Shape(None, "/a", 2)),
        ("/a/b{x}c/{y:uuid}/d", Shape(None, "/a", 4)),
        ("/{x}", Shape(None, "", 1)),
        ("/a/{rest:path}", Shape(None, "/a", None)),
        ("/a.b/{x:float}", Shape(None, "/a.b", 2)),
        ("/é/{x}", Shape(None, "/é", 2)),
        ("/a\n", None),
    ],
)
def test_shapes(path: str, expected: Shape | None) -> None:
    """The literal, the whole segments before a parameter, and the slashes, where they are known."""
    assert shape(path) == expected


def test_nothing_is_known_of_a_regex_of_somebody_elses() -> None:
    """A regular expression that was not made from the path says nothing of it."""
    assert shape_of("/a", re.compile("^/b$"), {}) is None
    assert shape_of("/a", re.compile("^/a$", re.IGNORECASE), {}) is None
    assert shape_of("/a.b", re.compile("^/a.b$"), {}) is None
    assert shape_of("/{x}", re.compile("^/(?P<x>[^/]+)$"), {}) is None


segments = st.sampled_from(["a", "b", "a.b", "é", "", "{%s}", "{%s:int}", "x{%s}y", "{%s:path}"])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    path = ""
    for number, segment in enumerate(draw(st.lists(segments, min_size=1, max_size=4))):
        path += "/" + (segment % f"p{number}" if "%" in segment else segment)
    return path


paths = st.lists(st.sampled_from(["a", "b", "a.b", "é", "", "1", "x1y", "xy", "aXb"]), max_size=5)


@given(st.lists(patterns(), max_size=12), paths.map("/".join))
@example(["/{p0}", "/a", "/{p0:path}"], "/a")
@example(["/a/{p1:path}", "/a/b/{p2}"], "/a/b/c")
@example(["//{p1}", "/{p0}/{p1}"], "//1")
def test_candidates_are_a_superset_in_order(table: list[str], path: str) -> None:
    """Every pattern that matches a path is a candidate, and candidates keep their order."""
    compiled = [compile_path(pattern)[0] for pattern in table]
    entries = [(shape(pattern), [number]) for number, pattern in enumerate(table)]
    for asked in (path, "/" + path, ""):
        found = [number for (number,) in Index(entries).candidates(asked)]
        assert found == sorted(set(found))
        matching = [number for number, regex in enumerate(compiled) if regex.match(asked)]
        assert set(matching) <= set(found)


def test_a_large_table_leaves_few_candidates() -> None:
    """A path is led to the patterns that begin as it does, not to all."""
    table = [f"/api/v1/r{number}/{{id:int}}" for number in range(400)]
    index = Index([(shape(pattern), [pattern]) for pattern in table])
    assert index.candidates("/api/v1/r399/7") == ([table[399]],)
    assert index.candidates("/api/v1/nothing/7") == ()
    assert index.candidates("/api/v1/r399") == ()


def test_an_entry_of_unknown_shape_is_a_candidate_of_every_path() -> None:
    """What nothing is known of is asked at its place, for literal paths as well."""
    index = Index([(shape("/a"), "first"), (None, "asked"), (shape("/{p}"), "last")])
    assert index.candidates("/a") == ("first", "asked", "last")
    assert index.candidates("/x/y/z") == ("asked",)


def test_the_slashless_convertors_are_those_of_starlette() -> None:
    """The patterns that are known to match no slash are what Starlette's convertors have."""
    for name in ("str", "path", "int", "float", "uuid"):
        convertor = CONVERTOR_TYPES[name]
        found = shape(f"/{{x:{name}}}")
        assert found is not None
        assert (found.slashes is None) == (convertor.regex == ".*")
