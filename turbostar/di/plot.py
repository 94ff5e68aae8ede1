"""Drawing who needs what: for Mermaid, for Graphviz, or as an SVG of its own."""

from __future__ import annotations

from html import escape

from turbostar.di.audit import Audit

__all__ = ["FORMS", "draw"]

FORMS = ("mermaid", "dot", "svg")
_COLUMN, _ROW, _WIDTH, _HEIGHT = 220, 46, 180, 30


def draw(audit: Audit, form: str) -> str:
    """Draw the graph of a container.

    Raises:
        ValueError: the form is none of `FORMS`.
    """
    if form not in FORMS:
        raise ValueError(f"there is no form {form!r} of a graph; choose one of {', '.join(FORMS)}")
    nodes = list(dict.fromkeys(name for edge in audit.edges for name in edge))
    nodes += [row.provides for row in audit.rows if row.provides not in nodes]
    if form == "mermaid":
        return _mermaid(audit, nodes)
    return _dot(audit, nodes) if form == "dot" else _svg(audit, nodes)


def _mermaid(audit: Audit, nodes: list[str]) -> str:
    number = {name: f"n{index}" for index, name in enumerate(nodes)}
    lines = ["graph LR"]
    for name in nodes:
        text = name.replace('"', "#quot;")
        shape = f'(["{text}"])' if name in audit.handlers else f'["{text}"]'
        lines.append(f"    {number[name]}{shape}")
    lines += [f"    {number[user]} --> {number[used]}" for user, used in audit.edges]
    return "\n".join(lines) + "\n"


def _dot(audit: Audit, nodes: list[str]) -> str:
    def quoted(name: str) -> str:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = ["digraph container {", "    rankdir=LR;", "    node [shape=box];"]
    lines += [
        f"    {quoted(name)}{' [shape=oval]' if name in audit.handlers else ''};" for name in nodes
    ]
    lines += [f"    {quoted(user)} -> {quoted(used)};" for user, used in audit.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _depths(audit: Audit, nodes: list[str]) -> dict[str, int]:
    """How many steps each node is from the handlers, along the longest way."""
    depths = dict.fromkeys(nodes, 0)
    for _ in nodes:
        moved = False
        for user, used in audit.edges:
            if user != used and depths[used] <= depths[user] < len(nodes):
                depths[used] = depths[user] + 1
                moved = True
        if not moved:
            break
    return depths


def _svg(audit: Audit, nodes: list[str]) -> str:
    filled: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for name, depth in _depths(audit, nodes).items():
        row = filled.get(depth, 0)
        filled[depth] = row + 1
        places[name] = (10 + depth * _COLUMN, 10 + row * _ROW)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + 10
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
    ]
    for user, used in audit.edges:
        (x1, y1), (x2, y2) = places[user], places[used]
        parts.append(
            f'<line x1="{x1 + _WIDTH}" y1="{y1 + _HEIGHT // 2}" x2="{x2}" '
            f'y2="{y2 + _HEIGHT // 2}" stroke="#888"/>'
        )
    for name, (x, y) in places.items():
        radius = _HEIGHT // 2 if name in audit.handlers else 3
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{radius}" '
            f'fill="#f4f4f4" stroke="#444"/><text x="{x + 8}" y="{y + 19}">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
