"""Defects between the chosen route and what the server is sent."""

from __future__ import annotations

from tests.defects.rewriting import Defect

__all__ = ["DISPATCH_DEFECTS"]

DISPATCH_DEFECTS = [
    Defect(
        "ignores the handler of 404",
        "        404 in status_handlers\n        or type(router",
        "        type(router",
    ),
    Defect(
        "ignores the handler of 405",
        "        if 405 in status_handlers:\n            return None\n",
        "",
    ),
    Defect(
        "ignores a default of somebody's own",
        "        or type(router.default) is not MethodType\n"
        "        or router.default.__func__ is not _not_found\n",
        "",
    ),
    Defect(
        "says wrongly what is allowed",
        'allow = ", ".join(entry.route.methods)',
        'allow = "GET"',
    ),
    Defect(
        "ignores the handler of a status",
        "        or exc.status_code in status_handlers\n",
        "",
    ),
    Defect(
        "loses the headers of an HTTPException",
        "        exc.headers is not None\n        or type(exc.detail)",
        "        type(exc.detail)",
    ),
    Defect(
        "ignores the handler of HTTPException",
        "is_default(handlers[0].get(HTTPException))",
        "True",
    ),
    Defect(
        "runs a background task twice",
        "                    if background is not None:\n"
        "                        await background()\n",
        "                    if background is not None:\n"
        "                        await background()\n"
        "                            await response.background()\n",
    ),
    Defect(
        "never runs a background task",
        "                    if background is not None:\n"
        "                        await background()\n",
        "",
    ),
    Defect(
        "sends a body twice",
        '                            await send({"type": "http.response.body", '
        '"body": response.body})\n',
        '                            body = {"type": "http.response.body", "body": response.body}\n'
        "                            await send(dict(body))\n"
        "                            await send(body)\n",
    ),
    Defect(
        "runs a background task twice on the shortest way",
        "                if response.background is not None:\n"
        "                    await response.background()\n",
        "                if response.background is not None:\n"
        "                    await response.background()\n"
        "                    await response.background()\n",
    ),
    Defect(
        "never runs a background task on the shortest way",
        "                if response.background is not None:\n"
        "                    await response.background()\n",
        "",
    ),
    Defect(
        "reads a body before its start is sent",
        "                    await send(start)  # whoever takes it may change the body\n"
        '                    await send({"type": "http.response.body", '
        '"body": response.body})\n',
        "                    body = response.body\n"
        "                    await send(start)\n"
        '                    await send({"type": "http.response.body", "body": body})\n',
    ),
    Defect(
        "forgets on the shortest way that a response was started",
        "                inner.started = True\n",
        "",
    ),
    Defect(
        "leaves out the outermost answer on the shortest way",
        "        await recover_outermost(server, raised, tracked.started, scope, receive, "
        "tracked.forward)\n",
        "        raise\n",
    ),
    Defect(
        "swallows what nobody handles",
        "    await ServerErrorMiddleware.__call__(twin, scope, receive, after_announcement)",
        "    try:\n"
        "        await ServerErrorMiddleware.__call__(twin, scope, receive, "
        "after_announcement)\n"
        "    except Exception:\n"
        "        pass",
    ),
    Defect(
        "sends a response that sends itself",
        "if type(response).__call__ is not respond_plainly:",
        "if False:",
    ),
    Defect(
        "answers twice",
        '    if started:\n        raise RuntimeError("Caught handled',
        '    if False:\n        raise RuntimeError("Caught handled',
    ),
    Defect(
        "does not notice that a response was started",
        "            self.started = True\n        await self.forward(message)",
        "            pass\n        await self.forward(message)",
    ),
    Defect(
        "takes a handler by class before one by status",
        "    handler = status_handlers.get(exc.status_code) if is_http else None",
        "    handler = None",
    ),
    Defect(
        "calls HEAD where there is none",
        'name = "get" if method == "HEAD" and not hasattr(endpoint, "head") else method.lower()',
        "name = method.lower()",
    ),
    Defect(
        "allows each method of a class endpoint",
        "if method in endpoint._allowed_methods:",
        "if hasattr(endpoint, name):",
    ),
]
