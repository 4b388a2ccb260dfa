"""Captures are taken in by a process each, several at a time: one that dies costs its own capture only."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from cosemscope.analysis.fleet.capture_files import key_of
from cosemscope.analysis.fleet.capture_intake import Intake, IntakeOrder, take_capture
from cosemscope.analysis.fleet.fleet_folder import FleetFolder


def take_captures(
    orders: Sequence[IntakeOrder], at_once: int, work: Callable[[IntakeOrder], Intake] = take_capture
) -> Iterator[tuple[IntakeOrder, Intake]]:
    """Yield each order with what came of it, as they come; at most `at_once` processes work.

    One order is worked on here. Whoever stops asking ends the processes.
    """
    if len(orders) == 1:
        yield orders[0], work(orders[0])
        return
    context = get_context("spawn")
    waiting = deque(orders)
    running: dict[Connection, tuple[IntakeOrder, Any]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                order = waiting.popleft()
                mine, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(theirs, work, order), daemon=True)
                process.start()
                theirs.close()
                running[mine] = order, process
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                order, process = running.pop(connection)
                yield order, _came_of(connection, order, process)
    finally:
        for connection, (order, process) in running.items():
            process.terminate()
            process.join()
            connection.close()
            _clear(order)


def _came_of(connection: Connection, order: IntakeOrder, process: Any) -> Intake:
    """What a process says in the end, or that it said nothing."""
    try:
        found = connection.recv()
        assert isinstance(found, Intake)
    except (EOFError, OSError):
        process.join()
        _clear(order)
        path, status = order.files[0].path, process.exitcode
        why = f"by signal {-status}" if status < 0 else f"with status {status}"
        found = Intake(
            key_of(order.files), {}, failure=f"{path}: its process ended {why} before it was done."
        )
    finally:
        connection.close()
    process.join()
    return found


def _clear(order: IntakeOrder) -> None:
    """Remove what a process that was ended has left beside."""
    FleetFolder(order.folder).clear(key_of(order.files))


def _work(told: Connection, work: Callable[[IntakeOrder], Intake], order: IntakeOrder) -> None:
    """Work on an order in a process of its own. Ctrl+C is for the one that waits, which ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        told.send(work(order))
    except BrokenPipeError:
        os._exit(1)  # who wanted it is gone
