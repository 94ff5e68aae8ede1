"""The benchmark's sides do the same work, as far as their libraries are installed."""

from __future__ import annotations

import asyncio

from benchmarks.di.__main__ import compare, made, memory
from benchmarks.di.scale import scale
from benchmarks.di.served import served
from benchmarks.di.sides import CASES


def test_every_side_answers_rightly() -> None:
    """`compare` checks each answer before it times anything."""

    async def main() -> None:
        sides = await made()
        assert "turbostar" in sides
        results = await compare(sides, rounds=1, number=2)
        assert set(results) == set(CASES)
        assert all("turbostar" in row for row in results.values())
        held = await memory({"turbostar": sides["turbostar"]})
        assert held["turbostar"] > 0
        await served(rounds=1, number=2)  # which compares the answers

    asyncio.run(main())
    assert len(scale()) == 2
