"""An image goes into a meter (class 18): only blocks that it lacks, then verified; resumed where it stood.

Steps as in IEC 62056-6-2, Image transfer: block size, initiate, blocks, completeness, verify, activate.
"""

import asyncio
from collections.abc import Callable, Iterator

from cosemscope.apdu.context import Reference
from cosemscope.application.client.service_operations import act, get
from cosemscope.application.encoding.data_values import (
    Data,
    double_long_unsigned,
    integer,
    octet_string,
    structure,
)
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_client import Meter

IMAGE_TRANSFER = Reference(18, bytes.fromhex("00002c0000ff"), 2)
_BLOCK_SIZE, _BITS, _FIRST_MISSING, _ENABLED, _STATUS, _INFO = range(2, 8)
_INITIATE, _TRANSFER, _VERIFY, _ACTIVATE = range(1, 5)
_NAMES = {
    _INITIATE: "begin",
    _TRANSFER: "take a block",
    _VERIFY: "verify the image",
    _ACTIVATE: "activate the image",
}
_INITIATED, _VERIFYING, _VERIFIED, _VERIFY_FAILED, _ACTIVATING, _ACTIVATED = range(1, 7)
_TEMPORARY = 2
#: Seconds between questions whether the meter has verified or activated, and how often it is asked.
_PAUSE, _LOOKS = 1.0, 300
#: Rounds in which blocks that did not arrive are sent again.
_ROUNDS = 3


def _attribute(member: int) -> Reference:
    return IMAGE_TRANSFER._replace(member=member)


async def _number(meter: Meter, member: int) -> int:
    value = (await meter.read_data(_attribute(member))).value
    if not isinstance(value, int):
        raise MeterError(f"attribute {member} of the image transfer is no number: {value!r}")
    return value


async def send_image(
    meter: Meter,
    image: bytes,
    identifier: bytes,
    *,
    activate: bool = False,
    anew: bool = False,
    progress: Callable[[int, int], None] = lambda sent, blocks: None,
) -> int:
    """Put an image into a meter and have it verified; how many blocks were sent.

    One that was begun with the same number of blocks is gone on with, unless `anew`. `progress` is told how
    many blocks the meter has, of how many. Raises MeterError, in whose advice stands how to go on.
    """
    if not (await meter.read_data(_attribute(_ENABLED))).value:
        words = "the meter does not take images now: attribute 5 of 18:0.0.44.0.0.255 is false"
        raise MeterError(f"{words}; set it with: set 18:0.0.44.0.0.255:5 boolean:true")
    size = await _number(meter, _BLOCK_SIZE)
    if not image or size < 1:
        raise MeterError("an image and its blocks have one octet at least")
    blocks = -(-len(image) // size)
    bits = await _bits(meter)
    status = await _number(meter, _STATUS)
    if anew or status != _INITIATED or len(bits) < blocks or len(bits) >= blocks + 8:
        await _call(meter, _INITIATE, structure(octet_string(identifier), double_long_unsigned(len(image))))
        bits = await _bits(meter)
    sent = 0
    for _ in range(_ROUNDS):
        missing = list(_missing(bits, blocks))
        if not missing:
            break
        for done, number in enumerate(missing, blocks - len(missing) + 1):
            part = image[number * size : (number + 1) * size]
            await _call(meter, _TRANSFER, structure(double_long_unsigned(number), octet_string(part)))
            sent += 1
            progress(done, blocks)
        bits = await _bits(meter)
    else:
        raise MeterError(f"the meter still lacks {len(list(_missing(bits, blocks)))} blocks: send it again")
    await _call(meter, _VERIFY, integer(0))
    await _until(meter, _VERIFYING, _VERIFIED, "verified the image", "it is not what the meter expects")
    if activate:
        await _call(meter, _ACTIVATE, integer(0))
        await _until(meter, _ACTIVATING, _ACTIVATED, "activated the image", "read its status later")
    return sent


async def _bits(meter: Meter) -> str:
    """Which blocks the meter has: 0 and 1; empty where it has none, or does not tell."""
    value = (await meter.read_data(_attribute(_BITS))).value
    return value if isinstance(value, str) else ""


def _missing(bits: str, blocks: int) -> Iterator[int]:
    return (number for number in range(blocks) if bits[number : number + 1] != "1")


async def _call(meter: Meter, number: int, parameters: Data) -> None:
    reference = IMAGE_TRANSFER._replace(member=number, method=True)
    (part,) = await meter.ask(act(reference, parameters))
    refusal = part.refusal
    if refusal is None or (number in (_VERIFY, _ACTIVATE) and refusal.code == _TEMPORARY):
        return  # it is at work: its status tells when it is done
    words = f"the meter does not {_NAMES[number]}: {refusal.words}"
    advice = refusal.advice or "the blocks that it has stay: the same command goes on with the others"
    raise MeterError(refusal._replace(words=words, advice=advice))


async def _until(meter: Meter, working: int, wanted: int, words: str, advice: str) -> None:
    """Wait while the meter is at work."""
    for _ in range(_LOOKS):
        (part,) = await meter.ask(get(_attribute(_STATUS)))
        status = part.value.value if part.value is not None else working
        if status == wanted:
            return
        if status != working:
            break
        await asyncio.sleep(_PAUSE)
    raise MeterError(f"the meter has not {words} (its status is {status}): {advice}")
