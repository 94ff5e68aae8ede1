"""The rewriter of compat: what it changes, and what it leaves alone."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path

import pytest

from compat.rewrite import rewrite_file, rewrite_source


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import starlette", "import turbostar as starlette"),
        ("import starlette as s", "import turbostar as s"),
        ("import starlette.routing as r", "import turbostar.routing as r"),
        ("import starlette.routing", "import turbostar.routing, turbostar as starlette"),
        ("import os, starlette.status as s, sys", "import os, turbostar.status as s, sys"),
        ("from starlette import status", "from turbostar import status"),
        ("from starlette.routing import Route as R", "from turbostar.routing import Route as R"),
        ("from  starlette . routing  import *", "from  turbostar . routing  import *"),
        ("from \\\n  starlette.a import b", "from \\\n  turbostar.a import b"),
        (
            "from starlette.routing import (\n    Mount,  # starlette\n    Route,\n)",
            "from turbostar.routing import (\n    Mount,  # starlette\n    Route,\n)",
        ),
        ("if x:\n\tfrom starlette.a import b; y = 1", "if x:\n\tfrom turbostar.a import b; y = 1"),
        ("é = 'é'; from starlette.a import b", "é = 'é'; from turbostar.a import b"),
    ],
)
def test_import_statements_are_rewritten(before: str, after: str) -> None:
    """Every shape of import names turbostar, and nothing else of the line changes."""
    assert rewrite_source(before) == after
    ast.parse(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('importlib.import_module("starlette.status")', '"turbostar.status"'),
        ('import_module("starlette")', '"turbostar"'),
        ("mock.patch('starlette.formparsers.X', Y)", "'turbostar.formparsers.X'"),
        ('@patch("starlette.a.b")\ndef f(): ...', '"turbostar.a.b"'),
        ('monkeypatch.setattr("starlette.a.B.c", d)', '"turbostar.a.B.c"'),
        ('monkeypatch.setattr(\n    r"starlette.a",\n    1,\n)', 'r"turbostar.a"'),
        ('monkeypatch.setattr("""starlette.a""", 1)', '"""turbostar.a"""'),
        ('import_module(f"starlette.{name}")', 'f"turbostar.{name}"'),
        ('with mock.patch(("starlette.a")): ...', '("turbostar.a")'),
    ],
)
def test_first_argument_of_patching_calls_is_rewritten(before: str, after: str) -> None:
    """The string that names what is patched or imported names turbostar."""
    rewritten = rewrite_source(before)
    assert after in rewritten
    assert rewritten == before.replace("starlette", "turbostar")


@pytest.mark.parametrize(
    "source",
    [
        'BlockBuster("starlette")',
        "message = \"module 'starlette.status' has no attribute\"",
        'warnings.filterwarnings("ignore", module="starlette.routing")',
        'getattr(module, "starlette.x")',
        'setattr(thing, "starlette.x", 1)',
        'monkeypatch.setattr(thing, "starlette", 1)',
        'mock.patch.dict("starlette.a")',
        'import_module("starlettes.a")',
        'patch("starlette-like")',
        "import starlettes",
        "from starlettes.a import b",
        "from .starlette import a",
        "from . import starlette",
        "from fastapi import starlette",
        "import fastapi.starlette",
        "# import starlette",
        '"""import starlette"""',
        "starlette = 1",
        'import_module(name="x", package="starlette")',
        "patch(starlette.routing, 1)",
    ],
)
def test_everything_else_is_left_alone(source: str) -> None:
    """Strings that are data, other names and comments keep their text."""
    assert rewrite_source(source) == source


def test_plain_import_still_binds_the_old_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `import starlette.x` the code below goes on using the name `starlette`."""
    package, module = types.ModuleType("turbostar"), types.ModuleType("turbostar.status")
    module.OK = 200  # type: ignore[attr-defined]
    package.status = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "turbostar", package)
    monkeypatch.setitem(sys.modules, "turbostar.status", module)
    source = rewrite_source("import starlette.status\nok = starlette.status.OK\n")
    names: dict[str, object] = {}
    exec(source, names)
    assert names["ok"] == 200


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_form_feeds_and_separators_are_kept(newline: str) -> None:
    """Positions are right whatever ends a line, and characters only str.splitlines() splits at."""
    lines = [
        "\x0cimport os",
        "x = '\u2028\x1c'",
        "from starlette.a import b",
        "patch('starlette.c')",
    ]
    source = newline.join([*lines, ""])
    expected = source.replace("starlette", "turbostar")
    assert rewrite_source(source) == expected


@pytest.mark.parametrize(
    ("head", "encoding"), [("# coding: latin-1\n", "latin-1"), ("\ufeff", "utf-8"), ("", "utf-8")]
)
def test_files_keep_their_encoding(tmp_path: Path, head: str, encoding: str) -> None:
    """A coding comment or byte order mark is honoured and kept, byte for byte."""
    path = tmp_path / "t.py"
    text = f"{head}name = 'é'\r\nfrom starlette.a import b\r\n"
    path.write_bytes(text.encode(encoding))
    assert rewrite_file(path)
    assert path.read_bytes() == text.replace("starlette", "turbostar").encode(encoding)
    assert not rewrite_file(path)


def test_a_file_that_is_no_python_raises(tmp_path: Path) -> None:
    """What cannot be parsed raises SyntaxError and is not written."""
    path = tmp_path / "t.py"
    path.write_text("import starlette (\n", "utf-8")
    with pytest.raises(SyntaxError):
        rewrite_file(path)
    assert path.read_text("utf-8") == "import starlette (\n"
