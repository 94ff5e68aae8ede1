"""compat/expected.toml: what an entry may say, and the error for every other."""

from __future__ import annotations

from pathlib import Path

import pytest

import compat
from compat.errors import CompatError
from compat.expected import Expected, parse_expected
from compat.suites import Suite, load_suites

SUITES = {
    "s": Suite("s", "1", "0", "1", (), (), (), ("swap", "install")),
}


def test_entries_become_one_for_each_test_and_mode() -> None:
    """Lists multiply out; one string stands for a list of one; the reason is shared."""
    text = """
        [[expected]]
        suite = "s"
        modes = ["swap", "install"]
        tests = "t.py::a"
        python = "3.13"
        reason = " wanted "
    """
    assert parse_expected(text, SUITES) == [
        Expected("s", "swap", "t.py::a", "wanted", ("3.13",)),
        Expected("s", "install", "t.py::a", "wanted", ("3.13",)),
    ]


def test_an_empty_list_is_fine() -> None:
    """No entry at all is the best list."""
    assert parse_expected("# nothing\n", SUITES) == []


@pytest.mark.parametrize(
    ("python", "version", "applies"),
    [
        ((), "3.13.0", True),
        (("3.13",), "3.13.0", True),
        (("3.1",), "3.13.0", False),
        (("3.11", "3.13.0"), "3.13.0", True),
        (("3.11",), "3.13.0", False),
    ],
)
def test_an_entry_may_be_limited_to_versions(
    python: tuple[str, ...], version: str, applies: bool
) -> None:
    """Versions are compared part by part, and none means any."""
    entry = Expected("s", "swap", "t", "r", python)
    assert entry.applies_to("s", "swap", version) is applies
    assert not entry.applies_to("s", "install", version)
    assert not entry.applies_to("other", "swap", version)


ENTRY = {"suite": '"s"', "modes": '["swap"]', "tests": '["t"]', "reason": '"r"'}


def entry(**changes: str | None) -> str:
    """Return one good entry as TOML with fields replaced, added or (None) left out."""
    fields = {**ENTRY, **changes}
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    return "\n".join(["[[expected]]", *lines, ""])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[expected]\n", "not valid TOML"),
        ("[other]\n", "unknown table 'other'"),
        ("[expected]\nsuite = 's'\n", "must be a list"),
        (entry(test='"t"'), "entry 1: unknown key 'test'"),
        (entry(suite='"x"'), "entry 1: no such suite 'x'; there are s"),
        (entry(suite="[]"), "entry 1: no such suite"),
        (entry(modes='["disabled"]'), "entry 1: s has no mode 'disabled'; it has swap, install"),
        (entry(modes=None), "entry 1: modes is missing"),
        (entry(modes="[]"), "entry 1: modes is missing"),
        (entry(tests=None), "entry 1: tests is missing"),
        (entry(tests="[1]"), "entry 1: tests must hold non-empty strings"),
        (entry(python="3.13"), "entry 1: python is missing; give a string"),
        (entry(reason=None), "entry 1: reason is missing"),
        (entry(reason='"  "'), "entry 1: reason is missing"),
        (entry() + entry(reason=None), "entry 2: reason is missing"),
        (entry() + entry(), "t is listed twice for swap"),
    ],
)
def test_a_wrong_entry_is_named(text: str, message: str) -> None:
    """The error is one line that says where, what and what to do."""
    with pytest.raises(CompatError) as caught:
        parse_expected(text, SUITES)
    assert message in str(caught.value)
    assert str(caught.value).startswith("compat/expected.toml: ")
    assert "\n" not in str(caught.value)


def test_the_list_of_the_repository_is_valid() -> None:
    """The list and the suites that are there can be read."""
    folder = Path(compat.__file__).parent
    suites = load_suites(folder / "suites")
    assert next(iter(suites)) == "starlette"
    parse_expected((folder / "expected.toml").read_text("utf-8"), suites)
