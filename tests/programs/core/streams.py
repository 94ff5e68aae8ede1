"""Streams that fail while the application waits for the client to go away."""

from drive import *
import asyncio
import re


def case_exceptions_of_streams():
    async def first():
        raise ValueError("first")
        yield b""

    async def later():
        yield b"x"
        await asyncio.sleep(0)
        raise ValueError("later")

    async def chained():
        yield b"x"
        try:
            raise KeyError("inner")
        except KeyError as exc:
            raise ValueError("outer") from exc

    async def silenced():
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer") from None
        yield b""

    async def number():
        yield 3

    async def waits(log):
        await asyncio.Event().wait()

    async def goes(log):
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def fails(log):
        await asyncio.sleep(0)
        raise OSError("receive")

    out = []
    for receive in (waits, goes, fails):
        for spec in ("2.3", "2.4"):
            for make in (first, later, chained, silenced, number):

                async def endpoint(request, make=make):
                    return S.StreamingResponse(make())

                app = S.Starlette(routes=[S.Route("/", endpoint)])
                asgi = {"version": "3.0", "spec_version": spec}
                seen = norm(go(app, "/", receive_hook=receive, asgi=asgi))
                out.append([make.__name__, receive.__name__, re.sub("scope [0-9a-f]+", "", seen)])
    return out
