"""Comments ``# fast:`` say what an ugly line buys, and which benchmark case shows it."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cases.every import NAMES

PACKAGE = Path(__file__).parents[1] / "turbostar"
MARK = "# fast:"


def fast_comments(source: str) -> Iterator[tuple[int, str]]:
    """Each comment that begins with the mark: its line, and its text to the end of the comment."""
    comments = {
        token.start[0]: (token.start[1], token.string, token.line.lstrip().startswith("#"))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for line, (column, text, _) in comments.items():
        if not text.startswith(MARK):
            continue
        parts, below = [text.removeprefix(MARK)], line + 1
        while below in comments and not comments[below][1].startswith(MARK):
            its_column, its_text, alone = comments[below]
            if its_column != column or not alone or parts[-1].endswith(")"):
                break
            parts.append(its_text.removeprefix("#"))
            below += 1
        yield line, " ".join(part.strip() for part in parts)


def fault_of(text: str) -> str | None:
    """What is wrong with the text of such a comment."""
    cases = [name for name in NAMES if text.endswith(f"({name})")]
    if not cases:
        return "names no case of benchmarks/cases in brackets at its end"
    said = text.removesuffix(f"({max(cases, key=len)})").strip()
    return None if said else "does not say what it buys"


def test_every_claim_of_speed_names_its_case() -> None:
    """``# fast: what it buys (case)``, with a case that exists."""
    faults = [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {fault}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in fast_comments(path.read_text("utf-8"))
        if (fault := fault_of(text)) is not None
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("source", "texts", "fine"),
    [
        ("# fast: no call (JSON, 1 route)\nx = 1\n", ["no call (JSON, 1 route)"], True),
        ("x = 1  # fast: no call (JSON, 1 route)\n", ["no call (JSON, 1 route)"], True),
        (
            "# fast: one call less than\n# before (400 routes, miss (404))\nx = 1\n",
            ["one call less than before (400 routes, miss (404))"],
            True,
        ),
        (
            "# fast: no call (JSON, 1 route)\n# Another remark.\n",
            ["no call (JSON, 1 route)"],
            True,
        ),
        ("# fast: no call\nx = 1\n", ["no call"], False),
        ("# fast: no call (an imagined case)\n", ["no call (an imagined case)"], False),
        ("# fast: (JSON, 1 route)\n", ["(JSON, 1 route)"], False),
        ("x = '# fast: no comment'\n", [], True),
    ],
)
def test_comments_without_a_case_are_found(source: str, texts: list[str], fine: bool) -> None:
    """Over one line or several; a case that is not there is as bad as none."""
    found = [text for _, text in fast_comments(source)]
    assert found == texts
    assert all(fault_of(text) is None for text in found) is fine
