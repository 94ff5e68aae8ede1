"""The layers of the package, and what ``import turbostar`` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "turbostar"

# From the lowest to the highest; a module imports only modules of its own layer or below.
LAYERS: list[set[str]] = [
    {"_switch", "_bytecode", "_handoff", "_sending", "_stages"},
    {"_mirror", "_accelerations", "_watch", "_matcher"},
    {"types", "status", "exceptions", "convertors", "config", "concurrency", "_utils"},
    {"_listening"},
    {"_json", "_streaming", "_classes", "_cookies", "_urls", "_query"},
    {"_responses", "_request_headers"},
    {"datastructures", "formparsers", "requests", "responses", "websockets", "background"},
    {"authentication", "endpoints", "schemas", "staticfiles", "templating", "_exception_handler"},
    {"_patches", "_checked", "_headers", "_signing"},
    {"_body_limit", "_cors", "_gzip", "_hosts", "_sessions"},
    {"_endpoint", "_names"},
    {"_entry", "_chains"},
    {"_table"},
    {"_dispatch", "_passing"},
    {"_unsent", "_fused"},
    {"middleware"},
    {"routing"},
    {"applications", "_install", "_walk"},
    {"_explain", "_explain_middleware", "_explain_routes", "_explain_stack"},
    {"testclient"},
    {""},
    {"cli"},
    {"__main__"},
]
FEATURES = {"di", "orm"}  # know nothing of each other


def part_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE).with_suffix("")
    first = relative.parts[0]
    return "" if first == "__init__" else first


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
        for name in names:
            package, _, rest = name.partition(".")
            if package == "turbostar":
                first = rest.partition(".")[0]
                known = (PACKAGE / first).is_dir() or (PACKAGE / f"{first}.py").is_file()
                found.add(first if known else "")
    return found


SOURCES = sorted(PACKAGE.rglob("*.py"))


def level(part: str) -> int:
    for index, layer in enumerate(LAYERS):
        if part in layer:
            return index
    raise AssertionError(f"turbostar.{part} stands in no layer: add it to tests/test_layers.py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """No module imports one that stands above it."""
    own = part_of(path)
    for other in imported_parts(path):
        assert level(other) <= level(own), f"turbostar.{own} imports turbostar.{other}"


def test_only_codegen_executes_generated_code() -> None:
    """exec and eval are called nowhere but in ``_codegen``."""
    for path in SOURCES:
        if part_of(path) == "_codegen":
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
    assert "turbostar._install" in loaded
