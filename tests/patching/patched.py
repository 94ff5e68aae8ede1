"""Child process: applications of which Starlette's functions are replaced, at various times.

The case, a JSON object: mode (install or swap). Each target is patched in a fork of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import starlette.applications  # noqa: F401  (so that forks need not import it)

from tests.patching import application
from tests.patching.asking import LOG, ask, question
from tests.patching.forks import in_fork, report
from tests.patching.instrumented import activate
from tests.patching.patches import ON_CLASSES, TARGETS, patch

ASKS = (
    *map(question, ("/", "/sync", "/items/7", "/class", "/sync/", "/none", "/teapot", "/boom")),
    *map(question, ("/group/teapot", "/app/inner", "/late", "/app/none")),
    *(question("/", method="PUT"), question("/socket", type="websocket")),
)

Steps = list[dict[str, Any]]


class Course:
    """What happens to two applications, one without and one with user middleware, in turn."""

    def __init__(self, mode: str, target: str, style: str) -> None:
        self.mode = mode
        self.target = target
        self.style = style
        self.package = ""
        self.apps: list[Any] = []
        self.undo: Callable[[], None] = lambda: None
        self.steps: Steps = []
        self.round = 0

    def activate(self) -> None:
        self.package = activate(self.mode)

    def build(self) -> None:
        LOG.clear()
        self.apps = [
            application.build(self.package, middleware=middleware) for middleware in (False, True)
        ]
        self.tell("built")

    def add(self) -> None:
        """Add a route and a middleware, of which Starlette refuses the latter once it serves."""
        n = application.names(self.package)

        async def late(request: Any) -> Any:
            return n.JSONResponse("late")

        LOG.clear()
        for app in self.apps:
            app.router.routes.insert(0, n.Route("/late", late))
            try:
                app.add_middleware(application.Pure)
            except RuntimeError as exc:
                LOG.append(str(exc))
        self.tell("added")

    def patch(self) -> None:
        LOG.clear()
        self.undo = patch(self.target, self.style, self.apps)
        self.tell("patched")

    def unpatch(self) -> None:
        self.undo()

    async def serve(self) -> None:
        self.round += 1
        for number, app in enumerate(self.apps):
            for asked in ASKS:
                step = await ask(app, asked)
                where = f"round {self.round}, app {number}: {step['ask']}"
                self.steps.append({**step, "ask": where})

    def tell(self, what: str) -> None:
        self.steps.append({"ask": what, "log": [*LOG]})


async def before_turbostar(course: Course) -> None:
    """The patch comes first of all."""
    course.patch()
    course.activate()
    course.build()
    course.add()
    await course.serve()
    course.unpatch()
    await course.serve()


async def before_the_first_request(course: Course) -> None:
    course.activate()
    course.build()
    await patched(course)


async def after_the_first_request(course: Course) -> None:
    course.activate()
    course.build()
    await course.serve()
    await patched(course)


async def patched(course: Course) -> None:
    """Patch, serve, build other applications, serve; and again without the patch."""
    course.patch()
    course.add()
    await course.serve()
    served = course.apps
    if course.target in ON_CLASSES:
        course.build()
        await course.serve()
    course.unpatch()
    course.apps += [app for app in served if app not in course.apps]
    await course.serve()


COURSES = {
    "before turbostar": before_turbostar,
    "before the first request": before_the_first_request,
    "after the first request": after_the_first_request,
}


def run(mode: str, target: str, when: str, style: str) -> Steps:
    course = Course(mode, target, style)
    asyncio.run(COURSES[when](course))
    return course.steps


def name(target: str, when: str, style: str) -> str:
    """What a course is called in the report."""
    return f"{target}, {when}, {style}"


def courses() -> list[tuple[str, str, str]]:
    """Every patch at every time; there is no application to patch before turbostar is there."""
    return [
        (target, when, style)
        for target in TARGETS
        for when in COURSES
        for style in ("function", "proxy")
        if target in ON_CLASSES or (when != "before turbostar" and style == "function")
        if "request_response" not in target or style == "function"
        if style == "function" or when == "after the first request"
    ]


def main(case: dict[str, Any]) -> dict[str, Steps]:
    logging.getLogger("turbostar").addHandler(logging.NullHandler())

    def forked(target: str, when: str, style: str) -> Steps:
        found: Steps = in_fork(lambda: run(case["mode"], target, when, style))
        return found

    return {name(*course): forked(*course) for course in courses()}


if __name__ == "__main__":
    report(main(json.loads(sys.argv[1])))
