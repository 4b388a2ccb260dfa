"""Services with short names: read, write, unconfirmed write, information report."""

from collections.abc import Callable
from typing import Any

from cosemscope.apdu.cursor import Cursor, Reader
from cosemscope.apdu.data.data_reader import read_data
from cosemscope.apdu.data.dates import read_optional_date_time
from cosemscope.apdu.data.types import element_name
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.services.parts import (
    boolean,
    data_access_result,
    optional,
    raw_data,
    read_list,
    selection_shape,
)

_SPECIFICATIONS = {
    2: "variable-name",
    3: "detailed-access",
    4: "parameterized-access",
    5: "block-number-access",
    6: "read-data-block-access",
    7: "write-data-block-access",
}
_READ_RESULTS = {0: "data", 1: "data-access-error", 2: "data-block-result", 3: "block-number"}
_WRITE_RESULTS = {0: "success", 1: "data-access-error", 2: "block-number"}


def _list_contents(c: Cursor) -> None:
    read_list(c, "list", lambda c, index: read_data(c, element_name(index)))


def _results_contents(c: Cursor) -> None:
    read_list(c, "list", _read_result)


def _specifications(c: Cursor) -> None:
    read_list(c, "variable-access-specification", _specification)


#: What blocks of requests and of responses carry when they are whole or joined.
_REQUEST_CONTENTS: tuple[Reader, ...] = (_specifications, _list_contents)
_RESPONSE_CONTENTS: tuple[Reader, ...] = (_results_contents, _list_contents)


def _variable_name(c: Cursor) -> str:
    name = c.uint("variable-name", 2)
    text = f"{name:04X}"
    c.children[-1] = c.children[-1]._replace(text=text)
    return text


def _block(c: Cursor, contents: tuple[Reader, ...]) -> str:
    last = boolean(c, "last-block")
    number = c.uint("block-number", 2)
    raw_data(c, "raw-data", last and number == 1, last, contents)
    return f"block {number}{' (last)' if last else ''}"


def _specification(c: Cursor, index: int) -> Any:
    """Variable-Access-Specification."""
    c.open(element_name(index))
    choice = c.u8("choice", _SPECIFICATIONS)
    if choice == 2:
        text = _variable_name(c)
    elif choice == 4:
        text = _variable_name(c)
        selector = c.u8("selector")
        shape, words = selection_shape(c, selector)
        read_data(c, "parameter", shape)
        text += f", selector {selector}" + (f" ({words})" if words else "")
    elif choice == 5:
        text = f"block {c.uint('block-number', 2)}"
    elif choice == 6:
        text = _block(c, _REQUEST_CONTENTS)
    elif choice == 7:
        last = boolean(c, "last-block")
        text = f"block {c.uint('block-number', 2)}{' (last)' if last else ''}"
    else:
        raise c.unexpected("choice of a variable access specification", choice, "2, or 4 to 7")
    value = c.children[1].value if choice in (2, 4) else None
    c.close(value, text)
    return value


def _read_result(c: Cursor, index: int) -> Any:
    c.open(element_name(index))
    choice = c.u8("choice", _READ_RESULTS)
    value: Any = None
    if choice == 0:
        value = read_data(c, "data")
        text = c.children[-1].text
    elif choice == 1:
        data_access_result(c, "data-access-error")
        text = f"data-access-error {c.children[-1].text or c.children[-1].value}"
    elif choice == 2:
        text = _block(c, _RESPONSE_CONTENTS)
    elif choice == 3:
        text = f"block {c.uint('block-number', 2)}"
    else:
        raise c.unexpected("choice of a read result", choice, "0 to 3")
    c.close(value, text)
    return value


def _write_result(c: Cursor, index: int) -> int:
    c.open(element_name(index))
    choice = c.u8("choice", _WRITE_RESULTS)
    text = _WRITE_RESULTS.get(choice, "")
    if choice == 1:
        data_access_result(c, "data-access-error")
        text += f" {c.children[-1].text or c.children[-1].value}"
    elif choice == 2:
        text = f"block {c.uint('block-number', 2)}"
    elif choice != 0:
        raise c.unexpected("choice of a write result", choice, "0 to 2")
    c.close(choice, text)
    return choice


def _data_list(c: Cursor) -> None:
    read_list(c, "list-of-data", lambda c, index: read_data(c, element_name(index)))


def _current_time(c: Cursor) -> None:
    optional(c, "current-time", _read_time)


def _read_time(c: Cursor) -> tuple[Any, str]:
    octets = read_optional_date_time(c, "value")
    return octets, c.children[-1].text


def _read_results(c: Cursor) -> None:
    read_list(c, "result-list", _read_result)


def _write_results(c: Cursor) -> None:
    read_list(c, "result-list", _write_result)


def _service(*steps: Callable[[Cursor], None]) -> Reader:
    def read(c: Cursor) -> None:
        c.u8("tag", APDU_TAGS)
        for step in steps:
            step(c)

    return read


read_read_request = _service(_specifications)
read_write_request = _service(_specifications, _data_list)
read_information_report = _service(_current_time, _specifications, _data_list)
read_read_response = _service(_read_results)
read_write_response = _service(_write_results)
