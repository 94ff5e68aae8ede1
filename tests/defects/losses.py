"""Defects that lose a fast path, and give the right answers: tests/fast_path must name them."""

from __future__ import annotations

from tests.defects.rewriting import Defect

__all__ = ["LOSSES"]

LOSSES = [
    Defect(
        "enters mounts one by one",
        "return Prefixes({chain.path: chain for chain in chains})",
        "return Prefixes({})",
    ),
    Defect(
        "compiles no table",
        "    if not can_route():\n        return None",
        "    if can_route():\n        return None",
    ),
    Defect(
        "asks each route",
        "    entry.shape = shape_of(path,",
        "    entry.shape = None and shape_of(path,",
    ),
    Defect(
        "has no index by prefix",
        '        own["" if shape is None else shape.prefix].append((number, entry))',
        '        own[""].append((number, entry))\n        prefixes = set()',
    ),
    Defect(
        "has no index of names",
        "    names = names_of(self) if isinstance(name, str) else None\n",
        "    names = None\n",
    ),
    Defect(
        "fuses no request",
        "        self.is_server_plain = is_server and can_fuse()",
        "        self.is_server_plain = False and can_fuse()",
    ),
    Defect(
        "fuses no endpoint",
        "    if entry.kind is not Kind.ASGI or not can_fuse():",
        "    if True:",
    ),
    Defect(
        "fuses nothing below other middleware",
        'if kind not in ("http", "websocket") or not can_fuse():',
        "if True:",
    ),
    Defect(
        "takes no class endpoint for one",
        "    elif isinstance(route, Route) and is_class_endpoint(route.app):",
        "    elif False:",
    ),
    Defect(
        "knows no plain router",
        '    stack = getattr(app, "middleware_stack", None)\n',
        "    stack = None\n",
    ),
    Defect(
        "has no default answers",
        "    if not _are_errors_plain(handlers):\n        return None\n    if entry",
        "    if True:\n        return None\n    if entry",
    ),
    Defect(
        "has no default errors",
        "        type(exc) is not HTTPException\n",
        "        True\n",
    ),
    Defect(
        "meets no requirements",
        "        return checked.is_plain\n",
        "        return False\n",
    ),
    Defect(
        "takes no BaseHTTPMiddleware",
        "    host = _host() if is_unpatched() else None\n",
        "    host = None\n",
    ),
    Defect(
        "streams by Starlette",
        "    return (\n        type(response).listen_for_disconnect is _listen",
        "    return False and (\n        type(response).listen_for_disconnect is _listen",
    ),
    Defect(
        "encodes JSON by the standard library",
        "        and json.dumps is _stdlib_dumps\n",
        "        and not _stdlib_dumps\n",
    ),
    Defect(
        "decodes JSON by the standard library",
        "        and json.loads is _stdlib_loads\n",
        "        and not _stdlib_loads\n",
    ),
    Defect(
        "makes headers by Starlette",
        '        or "get" in _stock_headers\n',
        "        or True\n",
    ),
    Defect(
        "parses queries by Starlette",
        "        or late.parse_qsl is not parse_qsl\n",
        "        or True\n",
    ),
    Defect(
        "makes URLs by Starlette",
        "    if authority is None:\n        return None\n",
        "    return None\n",
    ),
    Defect(
        "makes URLs of paths by Starlette",
        "        or _plain_path(path) is None\n",
        "        or True\n",
    ),
    Defect(
        "formats each cookie",
        "    if frame is None:\n        return None\n",
        "    return None\n",
    ),
    Defect(
        "remembers no preflight",
        "    answers[question] = response.status_code",
        "    _ = response.status_code",
    ),
    Defect(
        "takes no answers up from below base_http_call",
        "\nregister(base_http_call)\n",
        "\n",
    ),
    Defect(
        "takes no answers up from below cors_call",
        "\nregister(cors_call)\n",
        "\n",
    ),
    Defect(
        "takes no answers up from below gzip_call",
        "\nregister(gzip_call)\n",
        "\n",
    ),
    Defect(
        "takes no answers up from below session_call",
        "\nregister(session_call)\n",
        "\n",
    ),
    Defect(
        "takes no answers up from below trusted_host_call",
        "\nregister(trusted_host_call)\n",
        "\n",
    ),
    Defect(
        "takes no answers up from below https_redirect_call",
        "\nregister(https_redirect_call)\n",
        "\n",
    ),
    Defect(
        "takes no answers up from below exception_middleware_call",
        "\nregister(exception_middleware_call)\n",
        "\n",
    ),
]
