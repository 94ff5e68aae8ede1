"""The ORM stands alone: what it imports, what imports it, and what is loaded only when used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "turbostar" / "orm"
SOURCES = sorted(PACKAGE.rglob("*.py"))
DRIVERS = {"sqlite3": "engines/sqlite", "asyncpg": "engines/postgresql"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each module that is named, and whether that happens when the module itself is imported."""

    def look(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: imports are absolute"
                module = child.module or ""
                yield module, at_import
                yield from ((f"{module}.{alias.name}", at_import) for alias in child.names)
            else:
                inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                typing_only = (
                    isinstance(child, ast.If)
                    and isinstance(child.test, ast.Name)
                    and child.test.id == "TYPE_CHECKING"
                )
                yield from look(child, at_import and not inner and not typing_only)

    yield from look(ast.parse(path.read_text("utf-8")), True)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_import_only_the_orm(path: Path) -> None:
    """Beside it msgspec and the standard library; a driver only in its engine's folder."""
    for name, _ in imports(path):
        top = name.partition(".")[0]
        if top in DRIVERS:
            assert name_of(path).startswith(DRIVERS[top]), f"{name_of(path)} imports {name}"
            continue
        known = name.startswith("turbostar.orm") or top == "msgspec"
        standard = top in sys.stdlib_module_names or top == "annotationlib"
        assert known or standard, f"{name_of(path)} imports {name}"


def test_no_import_runs_in_a_circle() -> None:
    """What a module needs to be imported can be imported before it."""
    arrows: dict[str, set[str]] = {}
    for path in SOURCES:
        parts = path.relative_to(PACKAGE.parents[1]).with_suffix("").parts
        own = ".".join(part for part in parts if part != "__init__")
        named = {name for name, at_import in imports(path) if at_import}
        # A package's own `__init__` comes first; nothing in it is needed by its modules.
        arrows[own] = {name for name in named if not own.startswith(f"{name}.")}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for other in sorted(arrows[module] & arrows.keys()):
                visit(other, (*trail, module))
            done.add(module)

    for module in sorted(arrows):
        visit(module, ())


def test_nothing_but_the_cli_knows_of_it() -> None:
    """The web layers and dependency injection do not import the ORM."""
    outside = [
        path
        for path in PACKAGE.parent.rglob("*.py")
        if PACKAGE not in path.parents and "cli" not in path.relative_to(PACKAGE.parent).parts
    ]
    assert len(outside) > 50
    for path in outside:
        for name, _ in imports(path):
            assert not name.startswith("turbostar.orm"), path


def loaded_by(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_it_is_loaded_only_when_asked_for() -> None:
    """``import turbostar`` does not load it."""
    assert "turbostar.orm" not in loaded_by("import turbostar")


def test_the_driver_of_postgresql_is_loaded_by_a_url_of_postgresql() -> None:
    """Neither by the import nor by a database of SQLite."""
    without = loaded_by(
        "import turbostar.orm as orm\n"
        "for name in orm.__all__: getattr(orm, name)\n"
        "orm.Database('sqlite:///:memory:')"
    )
    assert "turbostar.orm" in without
    assert "asyncpg" not in without
    assert not any(name.startswith("turbostar.di") for name in without)


def test_a_missing_driver_says_what_to_install() -> None:
    """The extra, in the words of pip."""
    program = (
        "import sys; sys.modules['asyncpg'] = None\n"
        "import asyncio\n"
        "from turbostar.orm import Database, DriverMissing\n"
        "async def main():\n"
        "    async with Database('postgresql://127.0.0.1/none'): pass\n"
        "try: asyncio.run(main())\n"
        "except DriverMissing as exc: print(exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'turbostar[postgres]'" in done.stdout, done
