"""The layers of the package, and what ``import turbostar`` costs."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "turbostar"

# From the lowest to the highest; a module imports only modules of its own layer or below. A name
# stands for a module, or for a package with all that is in it.
LAYERS: list[set[str]] = [
    {
        "_attach.kill_switch",
        "_attach.twins",
        "_guard.classes",
        "_guard.compiled",
        "_http.own_send",
        "_stages.due",
        "_stages.group",
        "_stages.protocol",
        "_stages.scopes",
        "_stages.tasks",
        "di",
        "orm",
    },
    {"_attach.mirror", "_guard.table", "_routing.watched", "_routing.index"},
    {"_guard.sources"},
    {"_guard.swapped"},
    {"_stages.channel", "_http.tracked_send"},
    {"_stages.response"},
    {"_stages.call_next"},
    {"types", "status", "exceptions", "convertors", "config", "concurrency", "_utils"},
    {"_http.disconnect", "_guard.patches"},
    {"_http.json_codec", "_http.streaming", "_http.set_cookie", "_http.urls", "_http.query"},
    {"_http.responses", "_http.request_headers"},
    {"_http.json_responses", "_http.request"},
    {"datastructures", "formparsers", "requests", "responses", "websockets", "background"},
    {"authentication", "endpoints", "schemas", "staticfiles", "templating", "_exception_handler"},
    {"_guard", "_http.raw_headers"},
    {"_routing.endpoints"},
    {"_routing.entries"},
    {"_routing.mounts", "_routing.names"},
    {"_routing.table"},
    {"_routing.choose"},
    {"_dispatch.errors"},
    {"_dispatch.default_answers"},
    {"_dispatch.class_endpoints"},
    {"_dispatch.run"},
    {"_dispatch.fused", "_dispatch.router"},
    {"_dispatch.application"},
    {"_middleware", "stages"},
    {"middleware"},
    {"routing"},
    {"applications", "_attach.install", "_explain.places"},
    {"_explain"},
    {"testclient"},
    {""},
    {"server"},
    {"cli"},
    {"__main__"},
]
FEATURES = {"di", "orm"}  # know nothing of each other


def part_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def module_of(name: str) -> str:
    """The module of the package that an imported name is, or is defined in."""
    parts = name.split(".")[1:]
    while parts:
        path = PACKAGE.joinpath(*parts)
        if path.is_dir() or path.with_suffix(".py").is_file():
            break
        parts.pop()
    return ".".join(parts)


def imported_parts(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
        found |= {module_of(name) for name in names if name.partition(".")[0] == "turbostar"}
    return found


SOURCES = sorted(PACKAGE.rglob("*.py"))


def level(part: str) -> int:
    """The layer of a module: its own, or else that of the package it is in."""
    while True:
        for index, layer in enumerate(LAYERS):
            if part in layer:
                return index
        above = part.rpartition(".")[0]
        if not above:
            break
        part = above
    raise AssertionError(f"turbostar.{part} stands in no layer: add it to tests/test_layers.py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """No module imports one that stands above it."""
    own = part_of(path)
    if path.name == "__init__.py" and path.stat().st_size == 0:
        return
    for other in imported_parts(path):
        assert level(other) <= level(own), f"turbostar.{own} imports turbostar.{other}"


GUIDE = PACKAGE.parent / "CONTRIBUTING.md"
TABLE_HEAD = "| layer | modules of `turbostar` |\n|---:|---|\n"


def shown_layers() -> str:
    """The table of layers, as the contributor's guide has it."""
    rows = [
        f"| {number} | {', '.join(f'`{part or PACKAGE.name}`' for part in sorted(layer))} |"
        for number, layer in enumerate(LAYERS, start=1)
    ]
    return TABLE_HEAD + "\n".join(rows) + "\n"


def table_in(guide: str) -> str:
    _, head, rest = guide.partition(TABLE_HEAD)
    assert head, "the guide has no table of layers"
    rows = itertools.takewhile(lambda line: line.startswith("|"), rest.splitlines(keepends=True))
    return head + "".join(rows)


def test_the_contributors_guide_shows_the_layers() -> None:
    """Its table is that of this file: ``python -m tests.test_layers`` writes it anew."""
    assert table_in(GUIDE.read_text("utf-8")) == shown_layers()


def test_the_contributors_guide_names_every_folder() -> None:
    """Its map of the house leaves no folder of the package out."""
    guide = GUIDE.read_text("utf-8")
    folders = {path.parent.relative_to(PACKAGE).parts[:1] for path in SOURCES}
    missing = [folder for (folder,) in filter(None, folders) if f"`{folder}/`" not in guide]
    assert missing == []


def test_only_codegen_executes_generated_code() -> None:
    """exec and eval are called nowhere but in ``_codegen``."""
    for path in SOURCES:
        if part_of(path).endswith("codegen"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("exec", "eval", "compile"), f"{path}:{node.lineno}"


FORBIDDEN = {
    "uvicorn",
    "typer",
    "click",
    "rich",
    "matplotlib",
    "psutil",
    "libcst",
    "asyncpg",
    "redis",
    "sqlite3",
    "jinja2",
    "httpx",
    "httpx2",
    "hypothesis",
    "pytest",
    "pydantic",
    "trio",
    "uvloop",
    "httptools",
    "turbostar.cli",
    "turbostar.orm",
    "turbostar.__main__",
}


@pytest.mark.parametrize("statement", ["import turbostar", "import turbostar; turbostar.install()"])
def test_importing_turbostar_loads_nothing_optional(statement: str) -> None:
    """Neither the import nor install() loads a server, the CLI or a database library."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not FORBIDDEN & set(loaded)
    assert "turbostar" in loaded
    assert ("turbostar._attach.install" in loaded) == ("install()" in statement)


if __name__ == "__main__":
    guide = GUIDE.read_text("utf-8")
    GUIDE.write_text(guide.replace(table_in(guide), shown_layers()), "utf-8")
