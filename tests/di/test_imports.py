"""The container stands alone: what it imports, and what is imported only where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "turbostar" / "di"
ADAPTERS = {
    "starlette.py": {"starlette"},
    "signatures.py": {"starlette", "msgspec"},
    "payloads.py": {"msgspec"},
    "faults.py": {"msgspec"},
    "shapes.py": {"msgspec"},
    "middleware.py": {"starlette"},
    "fastapi.py": {"starlette", "fastapi"},
    "testing.py": {"pytest"},
    "teardown.py": {"anyio"},
    "shielding.py": {"anyio", "trio"},
    "singletons.py": {"anyio", "trio"},
}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_modules_import_only_the_container(path: Path) -> None:
    """Adapters import their framework as well; nothing imports another part of turbostar."""
    allowed = ADAPTERS.get(path.name, set())
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            known = name.startswith("turbostar.di") or top in allowed
            assert known or top in sys.stdlib_module_names or top == "annotationlib", name


def test_adapters_are_imported_when_they_are_used() -> None:
    """Not with the container."""
    program = (
        "import turbostar; before = set(__import__('sys').modules)\n"
        "import turbostar.di, sys; print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    lazy = {"starlette", "fastapi", "testing", "signatures", "payloads", "audit", "plot"}
    assert "turbostar.di.container" in loaded
    assert not {f"turbostar.di.{name}" for name in lazy} & set(loaded)
    assert not {"fastapi", "pytest", "trio"} & set(loaded)
