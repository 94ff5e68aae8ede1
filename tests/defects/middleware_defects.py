"""Defects in the middleware, and in what is handed up through it."""

from __future__ import annotations

from tests.defects.rewriting import Defect

__all__ = ["MIDDLEWARE_DEFECTS"]

MIDDLEWARE_DEFECTS = [
    Defect(
        "loses Vary where nobody says an origin",
        "    if origin is None:\n        add_vary(headers, _VARY)\n",
        "    if origin is None:\n",
    ),
    Defect(
        "keeps answers to preflights for ever",
        "if known != settings or order != [*given]:",
        "if not known:",
    ),
    Defect(
        "keeps the headers of CORS for ever",
        "simple is None or simple.headers != given or simple.order != [*given]:",
        "simple is None:",
    ),
    Defect(
        "shares the headers of a preflight",
        "response.raw_headers = [*lines]",
        "response.raw_headers = lines",
    ),
    Defect(
        "names any origin",
        "is_named = cors.is_allowed_origin(origin=origin)",
        "is_named = True",
    ),
    Defect(
        "repeats the headers of CORS",
        "    if _is_free(headers, simple.names):",
        "    if True:",
    ),
    Defect(
        "skips the guard of middleware",
        "        return checked.is_plain\n",
        "        return True\n",
    ),
    Defect(
        "does not look for methods of an instance",
        " and self._hiding.isdisjoint(values)",
        "",
    ),
    Defect(
        "compresses a part",
        "self.is_left = encoded or is_partial or is_excluded",
        "self.is_left = encoded or is_excluded",
    ),
    Defect(
        "compresses what is excluded",
        "self.is_left = encoded or is_partial or is_excluded",
        "self.is_left = encoded or is_partial",
    ),
    Defect(
        "keeps the length of what was compressed",
        '        replace(headers, b"content-length", b"%d" % len(body))',
        "        pass",
    ),
    Defect(
        "loses Vary of what is compressed",
        "            add_vary(answer.headers, VARY)\n",
        "",
    ),
    Defect(
        "compresses what is too short",
        "if not self.is_left and len(body) >= self.minimum_size:",
        "if not self.is_left:",
    ),
    Defect(
        "compresses for who does not take it",
        "        if not self.accepted:\n            return body\n",
        "",
    ),
    Defect(
        "keeps a session that was cleared",
        "elif session.modified and came:",
        "elif False:",
    ),
    Defect(
        "keeps the keys of another signer",
        "if keys is None or not keys.are_of(signer):",
        "if keys is None:",
    ),
    Defect(
        "loses Vary of a session",
        "    if session.accessed:\n        add_vary(headers, _VARY)\n",
        "",
    ),
    Defect(
        "saves a session that was only read",
        "if session.modified and session:",
        "if session:",
    ),
    Defect(
        "tells hosts apart by their case",
        "host: str = parsed.host.lower()",
        "host: str = parsed.host",
    ),
    Defect(
        "trusts hosts that end alike",
        "host.endswith(pattern[1:])",
        "host.endswith(pattern[2:])",
    ),
    Defect(
        "keeps the port of http",
        "netloc = url.hostname if url.port in (80, 443) else url.netloc",
        "netloc = url.netloc",
    ),
    Defect(
        "counts only the last piece of a body",
        "responder.total_size += len(",
        "responder.total_size = len(",
    ),
    Defect(
        "ignores the announced length",
        "        if length is not None and length > responder.max_body_size:\n            raise",
        "        if False:\n            raise",
    ),
    Defect(
        "leaks context from the endpoint",
        "        async def call_next(request: Any) -> Any:\n",
        "        async def call_next(request: Any) -> Any:\n"
        "            import contextvars\n"
        "\n"
        "            run, seen = self._run, []\n"
        "\n"
        "            async def leaking(app: Any) -> None:\n"
        "                await run(app)\n"
        "                seen.append(contextvars.copy_context())\n"
        "\n"
        "            self._run = leaking\n"
        "            response = await really_call_next(request)\n"
        "            for context in seen:\n"
        "                for var, value in context.items():\n"
        "                    var.set(value)\n"
        "            return response\n"
        "\n"
        "        async def really_call_next(request: Any) -> Any:\n",
    ),
    Defect(
        "runs the background of a middleware twice",
        "                    await response.background()\n            calls",
        "                    await response.background()\n"
        "                    await response.background()\n"
        "            calls",
    ),
    Defect(
        "sends the body that a middleware has replaced",
        "            or self.body is not response.body_iterator\n",
        "",
    ),
    Defect(
        "loses an exception from below",
        "    if calls.error is not None and not calls.is_raised:\n        raise calls.error\n",
        "",
    ),
    Defect(
        "does not wait for who does something afterwards",
        "        if answer.is_awaited:\n            await self.sent()",
        "        if False:\n            await self.sent()",
    ),
    Defect(
        "takes any application for one that does nothing afterwards",
        "return type(call) is FunctionType and call in _CALLS",
        "return True",
    ),
    Defect(
        "does not ask who stands below a stage",
        "        answer.is_awaited = answer.is_awaited or not stage.is_last\n        await stage",
        "        await stage",
    ),
    Defect(
        "waits for nobody who answers below a stage",
        'getattr(response, "background", send) is not None or not stage.is_last',
        'getattr(response, "background", send) is not None',
    ),
]
