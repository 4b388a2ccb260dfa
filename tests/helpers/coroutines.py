"""Coroutines of tests, run to their end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_LONGEST = 60.0
_LOOK = 0.005
_UNCHANGED = 40


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; whatever hangs is a failure, not a hang."""

    async def bounded() -> None:
        async with asyncio.timeout(_LONGEST):
            await work

    asyncio.run(bounded())


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    while not condition():
        await asyncio.sleep(_LOOK)


async def settled(value: Callable[[], int]) -> int:
    """Wait until a value has stopped changing for a while; the value."""
    last, looks = value(), 0
    while looks < _UNCHANGED:
        await asyncio.sleep(_LOOK)
        now = value()
        looks = looks + 1 if now == last else 0
        last = now
    return last
