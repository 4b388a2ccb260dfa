"""Sends datagrams to this computer itself, in a process of its own: many at a rate, or single ones at random.

`burst`: COUNT datagrams at RATE a second, many with one system call where the system has one for that
(sendmmsg); prints the seconds it took. `single`: COUNT datagrams with random pauses; prints the time of each
(`time.monotonic`, the same clock in all processes of a computer). The output is JSON.
"""

import argparse
import ctypes
import json
import random
import socket
import sys
import time
from collections.abc import Callable

#: Datagrams with one system call: at 100,000 a second, one call in half a millisecond.
BATCH = 50


class _Piece(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("octets", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    """struct msghdr."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("pieces", ctypes.POINTER(_Piece)),
        ("pieces_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [("header", _Header), ("sent", ctypes.c_uint)]


def many(link: socket.socket, octets: bytes) -> Callable[[int], int]:
    """A function that sends `octets` so many times (at most `BATCH`), and says how many went."""
    if sys.platform != "linux":

        def one_by_one(count: int) -> int:
            for _ in range(count):
                link.send(octets)
            return count

        return one_by_one

    sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
    piece = _Piece(octets, len(octets))
    messages = (_Message * BATCH)()
    for message in messages:
        message.header.pieces, message.header.pieces_length = ctypes.pointer(piece), 1

    def together(count: int) -> int:
        sent = int(sendmmsg(link.fileno(), messages, count, 0))
        if sent < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")
        return sent

    return together


def burst(link: socket.socket, octets: bytes, count: int, rate: float) -> float:
    """Send at a rate; one that falls behind catches up. The seconds it took."""
    send, sent = many(link, octets), 0
    began = time.monotonic()
    while sent < count:
        due = min(count, int((time.monotonic() - began) * rate) + 1)
        if due > sent:
            sent += send(min(BATCH, due - sent))
        if due - sent < BATCH:
            time.sleep(min(BATCH, count) / rate / 2)
    return time.monotonic() - began


def single(link: socket.socket, octets: bytes, count: int, longest: float) -> list[float]:
    """Send one by one, with pauses up to `longest` seconds, always the same ones; when each was sent."""
    chance, times = random.Random(4059), []
    for _ in range(count):
        time.sleep(chance.uniform(0.005, longest))
        times.append(time.monotonic())
        link.send(octets)
    return times


def main() -> None:
    """Send as asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("burst", "single"))
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("rate", type=float, help="a second; for single ones, the longest pause in seconds")
    parser.add_argument("octets", type=bytes.fromhex)
    arguments = parser.parse_args()
    send = {"burst": burst, "single": single}[arguments.how]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(("127.0.0.1", arguments.port))
        print(json.dumps(send(link, arguments.octets, arguments.count, arguments.rate)))


if __name__ == "__main__":
    main()
