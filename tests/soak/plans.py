"""What is going to happen to each request, decided by a seed before any of them is sent.

Times are seconds of the simulated clock, from the request's own start. Applications wait for whole
seconds. Whatever comes from outside comes in between, each kind at a fraction of its own, so that
no two things of one request ever happen at the same moment: which of the two went first would
depend on how often the code between them suspends.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["HABITS", "KINDS", "READS", "STACKS", "Plan", "schedule", "stack"]

# Fractions of a second at which things come from outside.
GONE = 0.25
PIECE = 0.5  # and a 64th more for each piece
CANCELLED = 0.75
PATIENCE = 0.125

# Each kind of request is a path of the application, and a weight.
KINDS = {
    "json": 8,
    "page": 4,
    "echo": 8,
    "first-piece": 3,
    "redirected/": 1,
    "missing": 1,
    "preflight": 1,
    "wrong-method": 1,
    "empty": 2,
    "session": 3,
    "in-thread": 2,
    "refuses": 3,
    "raises": 4,
    "handled": 2,
    "background": 5,
    "background-raises": 3,
    "background-in-thread": 1,
    "stream": 8,
    "stream-in-thread": 1,
    "stream-background": 3,
    "stream-raises": 5,
    "endless": 5,
    "file": 2,
    "path-sent": 1,
    "hints": 1,
    "raw": 3,
    "raw-raises": 2,
    "silent": 1,
    "until-gone": 3,
    "polls": 3,
    "own-timeout": 2,
    "task-group": 2,
    "mounted/json": 2,
}
STREAMS = {
    "stream",
    "stream-in-thread",
    "stream-background",
    "stream-raises",
    "endless",
    "raw",
    "raw-raises",
}
# By spec 2.3 these listen for the client while they send.
LISTENS = (STREAMS | {"file", "path-sent"}) - {"raw", "raw-raises"}
# Nobody would ever end it: not to be sent where nobody goes.
ENDLESS = {"endless", "until-gone"}
WITH_BODY = {"echo", "first-piece"}

# What the second middleware does with the request's body before it calls on.
READS = {"nothing": 8, "body": 5, "json": 1, "stream": 2, "first-piece": 2}

# What the third one does.
HABITS = {
    "passes": 16,
    "answers": 3,
    "replaces": 3,
    "edits": 3,
    "collects": 2,
    "wraps": 2,
    "peeks": 2,
    "raises": 2,
    "raises-after": 3,
    "rescues": 4,
    "asyncio-timeout": 4,
    "anyio-timeout": 2,
    "wait-for": 2,
    "in-a-task": 2,
    "in-a-group": 1,
    "background": 2,
}
TIMEOUTS = {"asyncio-timeout", "anyio-timeout", "wait-for"}
# The application's own answer is not sent, and may go on without being told to stop.
DISCARDS = {"replaces", "collects"} | TIMEOUTS

# Which middleware stands where, the outermost first; "shuffled" is another order for each seed.
STACKS: dict[str, tuple[str, ...]] = {
    "bare": ("header", "reads", "habit"),
    "turned": ("habit", "reads", "header"),
    "full": ("cors", "gzip", "session", "header", "reads", "habit"),
    "between": ("header", "gzip", "reads", "session", "habit", "cors"),
    "pure": ("header", "pure", "reads", "habit", "session"),
    "innermost": ("session", "header", "reads", "habit", "pure"),
    "shuffled": (),
}
_PARTS = ("cors", "gzip", "session", "header", "reads", "habit", "pure")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One request, and everything that is going to happen to it.

    Attributes:
        number: its id; no two requests of a run have the same.
        start: when it is sent, on the clock of its wave.
        spec: the ASGI version of the server. From 2.4 on sending to a client that is gone raises.
        pieces: when each piece of its body arrives; the last one is marked by its place.
        gone_at: when the client goes.
        gone_after: how many parts of the answer that carry something (the start is one) the client
            takes before it goes.
        slow: how long the client takes to take such a part.
        cancelled_at: when the server gives up on the request and cancels its task.
        delay: how long the endpoint waits before it answers.
        chunks, gap: of a stream, and how long it waits before each.
        raises_at: the chunk instead of which a stream raises.
        background: how long the background task takes.
        before, after: how long the third middleware waits before it calls on, and after.
        patience: how long it waits for the response, where it does not wait for ever.
    """

    number: int
    kind: str
    stack: str
    start: float
    method: str = "GET"
    spec: str = "2.3"
    origin: bool = False
    gzip: bool = False
    cookie: bool = False
    pieces: tuple[tuple[float, bytes], ...] = ((0.0, b""),)
    gone_at: float | None = None
    gone_after: int | None = None
    slow: int = 0
    cancelled_at: float | None = None
    reads: str = "nothing"
    habit: str = "passes"
    delay: int = 0
    chunks: int = 0
    gap: int = 0
    raises_at: int = 0
    background: int = 0
    before: int = 0
    after: int = 0
    patience: float = PATIENCE

    def __str__(self) -> str:
        """What is unusual about it, in one line."""
        told = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if field.default is dataclasses.MISSING or getattr(self, field.name) != field.default
        ]
        return ", ".join(told)


def schedule(seed: int, wave: int, size: int, in_flight: int) -> list[Plan]:
    """The requests of one wave; about `in_flight` of them are under way at once."""
    chance = random.Random(f"{seed}/{wave}")
    plans = [_plan(chance, wave * size + number) for number in range(size)]
    every = sum(map(_duration, plans)) / size / in_flight
    return [
        # Whole 64ths: floats that add up exactly.
        dataclasses.replace(plan, start=round(number * every * 64) / 64)
        for number, plan in enumerate(plans)
    ]


def stack(name: str, seed: int) -> Sequence[str]:
    """The middleware of a stack, the outermost first."""
    if name != "shuffled":
        return STACKS[name]
    chance = random.Random(f"{seed}/shuffled")
    parts = list(_PARTS)
    chance.shuffle(parts)
    return parts


def _duration(plan: Plan) -> float:
    """About how long a request takes, in seconds of the simulated clock."""
    ends = [plan.delay + plan.chunks * plan.gap + plan.before + plan.after + plan.background + 1.0]
    if plan.kind in ENDLESS:
        ends = [float(plan.chunks)]
    ends += [time for time in (plan.gone_at, plan.cancelled_at) if time is not None]
    return min(ends)


def _picked(chance: random.Random, weighted: Mapping[str, int]) -> str:
    return chance.choices(list(weighted), list(weighted.values()))[0]


def _plan(chance: random.Random, number: int) -> Plan:
    kind, habit = _picked(chance, KINDS), _picked(chance, HABITS)
    reads = _picked(chance, READS)
    streams = kind in STREAMS
    plan = Plan(
        number=number,
        kind=kind,
        stack=chance.choice(list(STACKS)),
        start=0.0,
        method=_method(kind, chance),
        spec=chance.choice(("2.3", "2.4")),
        origin=chance.random() < 0.4 or kind == "preflight",
        gzip=chance.random() < 0.4,
        cookie=chance.random() < 0.3,
        pieces=_pieces(chance) if kind in WITH_BODY else ((0.0, b""),),
        slow=chance.choice((0, 0, 0, 0, 1, 3)),
        reads=reads,
        habit=habit,
        delay=chance.choice((0, 0, 1, 2, 5, 9)),
        chunks=chance.randint(1, 6) if streams else 0,
        gap=chance.choice((0, 1, 1, 2)) if streams else 0,
        raises_at=chance.randint(0, 4),
        background=chance.choice((0, 1, 4)),
        before=chance.choice((0, 0, 0, 1, 3)),
        after=chance.choice((0, 0, 0, 1, 3)),
        patience=chance.choice((0, 1, 3)) + PATIENCE,
    )
    return _disturbed(plan, chance)


def _method(kind: str, chance: random.Random) -> str:
    if kind == "preflight":
        return "OPTIONS"
    if kind in WITH_BODY:
        return "POST"
    if kind == "wrong-method":
        return "DELETE"
    return "HEAD" if chance.random() < 0.05 else "GET"


def _pieces(chance: random.Random) -> tuple[tuple[float, bytes], ...]:
    """A body that comes at once or in pieces, some of them late, some of them empty."""
    moments = sorted(chance.randint(0, 4) for _ in range(chance.randint(1, 5)))
    if chance.random() < 0.3:
        return ((0.0, chance.randbytes(chance.randint(0, 300))),)
    return tuple(
        (moment + PIECE + place / 64, chance.randbytes(chance.choice((0, 1, 90, 400))))
        for place, moment in enumerate(moments)
    )


def _disturbed(plan: Plan, chance: random.Random) -> Plan:
    """Let the client go, or the server give up, at a moment when it makes one difference only."""
    disturbance = chance.choice(("", "", "", "", "", "gone", "gone", "took", "cancelled"))
    moment = chance.choice((0, 0, 1, 2, 3, 5, 8))
    taken = chance.randint(1, plan.chunks) if plan.chunks else 1
    if plan.kind in ENDLESS:
        # Raising is what ends an endless stream by spec 2.4, which nobody does once discarded.
        habit = "passes" if plan.habit in DISCARDS else plan.habit
        plan = dataclasses.replace(plan, habit=habit)
        disturbance = disturbance or "gone"
        if plan.kind == "until-gone":
            disturbance = "gone" if disturbance == "took" else disturbance
    if disturbance and plan.kind in STREAMS:
        # A task group runs ahead of what is sent; how far must not matter.
        plan = dataclasses.replace(plan, gap=max(plan.gap, 1), slow=0, after=0)
    if plan.spec < "2.4" and plan.kind in LISTENS and plan.habit in TIMEOUTS:
        # It hears that it is discarded when it begins: the same.
        plan = dataclasses.replace(plan, spec="2.4")
    if plan.habit in DISCARDS:
        plan = dataclasses.replace(plan, gap=max(plan.gap, bool(plan.chunks)))
    if disturbance == "gone" and plan.spec < "2.4":
        # What listens to a client that went before it began may begin or not: whoever is first.
        plan = dataclasses.replace(plan, habit="peeks" if plan.habit == "wraps" else plan.habit)
        if plan.kind in LISTENS:
            moment += plan.before + plan.delay
    if disturbance == "gone":
        return dataclasses.replace(plan, gone_at=moment + GONE)
    if disturbance == "took":
        return dataclasses.replace(plan, gone_after=taken)
    if disturbance == "cancelled":
        return dataclasses.replace(plan, cancelled_at=moment + CANCELLED)
    return plan
