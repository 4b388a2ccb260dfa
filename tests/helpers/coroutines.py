"""Coroutines of tests, run to their end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

_LONGEST = 60.0


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; whatever hangs is a failure, not a hang."""

    async def bounded() -> None:
        async with asyncio.timeout(_LONGEST):
            await work

    asyncio.run(bounded())
