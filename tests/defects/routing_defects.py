"""Defects in how a route is chosen, and in what is compiled for that."""

from __future__ import annotations

from tests.defects.rewriting import Defect

__all__ = ["ROUTING_DEFECTS"]

ROUTING_DEFECTS = [
    Defect(
        "forgets that GET includes HEAD",
        "entry.methods = route.methods",
        'entry.methods = (route.methods or set()) - {"HEAD"}',
    ),
    Defect(
        "asks candidates in a wrong order",
        "merged = sorted(same + others, key=lambda item: item[0])",
        "merged = same + others",
    ),
    Defect(
        "lets literal paths shadow patterns",
        "merged = sorted(same + others, key",
        "merged = sorted(same, key",
    ),
    Defect(
        "drops patterns of shorter prefixes",
        "for begun in beginnings(prefix) for item in own.get(begun, ())]",
        "for item in own[prefix]]",
    ),
    Defect(
        "skips the convertor of a single parameter",
        "params = {key: entry.convertors[key].convert(found[1])}",
        "params = {key: found[1]}",
    ),
    Defect(
        "skips the convertors of several parameters",
        "params[key] = entry.convertors[key].convert(params[key])\n            if test is MOUNT",
        "pass\n            if test is MOUNT",
    ),
    Defect(
        "shares path_params between requests",
        "params: Any = {}\n",
        'params: Any = globals().setdefault("shared", {})\n',
    ),
    Defect(
        "changes path_params from above in place",
        'params = {**scope["path_params"], **params}',
        'scope["path_params"].update(params)\n                params = scope["path_params"]',
    ),
    Defect(
        "forgets app_root_path",
        'if "app_root_path" not in scope:',
        "if False:",
    ),
    Defect(
        "forgets the root path from above",
        'scope["root_path"] = root_path + matched',
        'scope["root_path"] = matched',
    ),
    Defect(
        "enters mounts together below another root path",
        'if root_path and not scope["path"].startswith(root_path + chain.path + "/"):',
        "if False:",
    ),
    Defect(
        "enters mounts together whose convertor was replaced",
        'if mount.convertors.get("path") is not mount.convertor:',
        "if False:",
    ),
    Defect(
        "enters mounts past a route that stands before them",
        "            and not earlier.may_match_below(mount.prefix[:-1])\n",
        "",
    ),
    Defect(
        "takes the last partial match",
        "if partial is None:\n            partial = entry.not_allowed",
        "if True:\n            partial = entry.not_allowed",
    ),
    Defect(
        "takes a partial match before a full one",
        'partial_scope = {"endpoint": entry.scope_endpoint, "path_params": params}\n',
        'partial_scope = {"endpoint": entry.scope_endpoint, "path_params": params}\n'
        "            break\n",
    ),
    Defect(
        "freezes a table",
        "        or table.is_stale\n",
        "",
    ),
    Defect(
        "freezes the table of a list of somebody's own",
        "self._snapshot = None if type(routes) is RouteList else snapshot",
        "self._snapshot = None",
    ),
    Defect(
        "forgets a route that is appended",
        "super().append(item)\n        changed(self)",
        "super().append(item)",
    ),
    Defect(
        "forgets a route that is inserted",
        "super().insert(index, item)\n        changed(self)",
        "super().insert(index, item)",
    ),
    Defect(
        "forgets that routes were reversed",
        "super().reverse()\n        changed(self)",
        "super().reverse()",
    ),
    Defect(
        "forgets that a route was deleted",
        "super().__delitem__(index)\n        changed(self)",
        "super().__delitem__(index)",
    ),
    Defect(
        "forgets that an attribute was replaced",
        "    if name in _READ or method_of(type(self), name) is not None:\n        changed(self)",
        "",
    ),
    Defect(
        "forgets that an attribute was deleted",
        "watched_delattr)(self, name)\n    changed(self)",
        "watched_delattr)(self, name)",
    ),
    Defect(
        "leads paths with a newline to the index",
        'if "\\n" in path:  # a pattern ends',
        "if False:  # a pattern ends",
    ),
    Defect(
        "finds no name below a mount",
        'if not self._others and ":" not in name:',
        "if not self._others:",
    ),
    Defect(
        "takes names in a wrong order",
        "self._by_name.setdefault(route.name, []).append((number, route))",
        "self._by_name.setdefault(route.name, []).insert(0, (number, route))",
    ),
    Defect(
        "does not ask a route that matches in its own way",
        'if base is Host or "matches" in route.__dict__ or not '
        'memo.is_known(cls, base, "matches"):',
        "if base is Host:",
    ),
    Defect(
        "does not call a route that handles in its own way",
        'if "handle" in route.__dict__ or not memo.is_known(cls, base, "handle"):',
        "if False:",
    ),
    Defect(
        "does not see that Route.matches was patched",
        "        and Route.matches is _route_matches\n",
        "",
    ),
    Defect(
        "redirects where that is not wanted",
        'if not router.redirect_slashes or path == "/"',
        'if path == "/"',
    ),
    Defect(
        "redirects to what does not match",
        "if is_matched(router, redirect, get_route_path(redirect)):",
        "if True:",
    ),
    Defect(
        "leads websockets to routes for HTTP",
        'is_http = scope["type"] == "http"',
        "is_http = True",
    ),
    Defect(
        "leads HTTP to a route with as many slashes",
        "counts = {shape.slashes for _, shape, _ in dynamic if shape is not None}",
        "counts = {1}",
    ),
    Defect(
        "forgets that routes were sorted",
        "super().sort(key=key, reverse=reverse)\n        finally:\n            changed(self)",
        "super().sort(key=key, reverse=reverse)\n        finally:\n            pass",
    ),
    Defect(
        "forgets that a route was replaced",
        "super().__setitem__(index, value)\n        changed(self)",
        "super().__setitem__(index, value)",
    ),
    Defect(
        "does not notice that an attribute was copied",
        "        or table.router is not router\n",
        "",
    ),
    Defect(
        "marks nothing as stale",
        "                compiled.is_stale = True\n\n\ndef all",
        "                pass\n\n\ndef all",
    ),
    Defect(
        "does not depend on the routes",
        "        self.depend_on(route)\n        entry",
        "        entry",
    ),
    Defect(
        "does not depend on routers below mounts",
        "            self.depend_on(entry.child.router)\n",
        "            pass\n",
    ),
]
