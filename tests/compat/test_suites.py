"""compat/suites/*.toml: what is read, what is refused, what the command line may change."""

from __future__ import annotations

import pytest

from compat.errors import CompatError
from compat.parity import modes_of
from compat.suites import Suite, parse_suite, select_suites

GOOD = """
name = "starlette"
version = "1.10.0"
sha256 = "abc"
requirements = ["pytest==9.2.0", "trio==0.35.0; python_version < '4'"]
copy = ["tests"]
tests = ["tests"]
modes = ["swap", "install"]
flags = ["--timeout=9"]

[mode_flags]
install = ["--ignore=tests/a.py", "--deselect=tests/b.py::c"]
"""


def suite(text: str = GOOD) -> Suite:
    """Return the suite described by *text*."""
    return parse_suite(text, "compat/suites/s.toml")


def test_a_suite_is_read() -> None:
    """Its own version is the Starlette it runs on unless another is named."""
    found = suite()
    assert (found.starlette, found.benchmarks) == ("1.10.0", None)
    other = suite(GOOD.replace('"starlette"', '"other"\nstarlette = "1.11.0"'))
    assert other.starlette == "1.11.0"


def test_variables_are_given_to_every_run() -> None:
    """Those of a suite are added to the environment of its processes."""
    found = suite(GOOD + '[variables]\nDEVELOPER_MODE = "true"\n')
    assert found.variables == {"DEVELOPER_MODE": "true"}
    assert suite().variables == {}


def test_flags_of_a_mode_are_added_and_left_out_of_the_comparison() -> None:
    """A mode may leave tests out; stock, which runs all, is then compared without them."""
    found = suite()
    assert found.flags_for("swap") == ("--timeout=9",)
    assert found.flags_for("install")[1:] == ("--ignore=tests/a.py", "--deselect=tests/b.py::c")
    assert found.ignored_in("install") == ("tests/a.py", "tests/b.py::c")
    assert found.ignored_in("swap") == ()


def test_another_starlette_brings_its_own_tests_without_a_checksum() -> None:
    """Starlette's suite follows the version; another suite stays and changes its Starlette."""
    newer = suite().at_starlette("1.11.0")
    assert (newer.version, newer.starlette, newer.sha256) == ("1.11.0", "1.11.0", None)
    assert suite().at_starlette("1.10.0") == suite()
    other = suite(GOOD.replace('"starlette"', '"other"')).at_starlette("1.11.0")
    assert (other.version, other.starlette, other.sha256) == ("1.10.0", "1.11.0", "abc")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name =", "name", "not valid TOML"),
        ('version = "1.10.0"', "version = 1", "version must be a str"),
        ('sha256 = "abc"', "", "sha256 is missing"),
        ('sha256 = "abc"', 'sha256 = "abc"\nsha1 = "x"', "unknown key 'sha1'"),
        ('"pytest==9.2.0"', '"pytest"', "'pytest' is not pinned"),
        ('["swap", "install"]', '["swop"]', "no such mode 'swop'"),
        ("install = [", "instal = [", "no such mode 'instal'"),
        ("--ignore=", "-k ", "mode_flags take"),
        ('sha256 = "abc"', 'sha256 = "abc"\nrandom_ids = ["["]', "'[' is no regular expression"),
        ("[mode_flags]", "[variables]\nA = 1\n[mode_flags]", "variables.A must be a string"),
    ],
)
def test_a_wrong_suite_is_named(old: str, new: str, message: str) -> None:
    """The error is one line with the file and the cause."""
    with pytest.raises(CompatError, match=r"^compat/suites/s\.toml: ") as caught:
        suite(GOOD.replace(old, new))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_suites_are_chosen_by_name() -> None:
    """No name is all of them; an unknown one is an error that lists the known."""
    known = {"a": suite(), "b": suite()}
    assert len(select_suites(known, [])) == 2
    assert select_suites(known, ["b"]) == [known["b"]]
    with pytest.raises(CompatError, match="no such suite; there are a, b"):
        select_suites(known, ["c"])


@pytest.mark.parametrize(
    ("wanted", "modes"),
    [
        ([], ["swap", "install"]),
        (["all"], ["swap", "install"]),
        (["install", "swap"], ["swap", "install"]),
        (["install"], ["install"]),
        (["disabled"], []),
    ],
)
def test_modes_are_those_the_suite_supports(wanted: list[str], modes: list[str]) -> None:
    """What a suite does not support is not run."""
    assert modes_of(suite(), wanted) == modes
