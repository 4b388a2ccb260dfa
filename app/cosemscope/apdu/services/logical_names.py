"""Services with logical names: GET, SET, ACTION, ACCESS, events, notifications, and exceptions.

GET, SET and ACTION are tables: choice -> the parts in order. The rest have one form each.
"""

from typing import Any

from cosemscope.apdu.cursor import Cursor, Reader
from cosemscope.apdu.data.data_reader import read_data
from cosemscope.apdu.data.dates import DATE_TIME, plausible_date_time, read_form, read_optional_date_time
from cosemscope.apdu.data.shapes import shape_of
from cosemscope.apdu.data.tied_values import listed_objects
from cosemscope.apdu.data.types import OCTET_STRING, element_name
from cosemscope.apdu.names import codes
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.services.parts import (
    attribute,
    attributes,
    block_number,
    boolean,
    data_access_result,
    data_access_results,
    data_results,
    method,
    methods,
    optional,
    raw_data,
    read_data_result,
    read_list,
    read_value,
    reference_of,
    selected_attribute,
    selection_of,
    service,
    value,
    values,
)
from cosemscope.wording import count

# What blocks carry when they are whole or joined.


def _one_value(c: Cursor) -> None:
    read_value(c, "value")


def _many_results(c: Cursor) -> None:
    data_results(c, "result-list")


def _one_parameter(c: Cursor) -> None:
    read_data(c, "parameters", shape_of(reference_of(c)))


def _many_values(c: Cursor) -> None:
    values(c)


def _one_return(c: Cursor) -> None:
    read_data(c, "return-parameters")


def _one_response(c: Cursor) -> None:
    _read_action_response(c, "response")


def _many_responses(c: Cursor) -> None:
    _action_responses(c)


_GET_RESULTS: tuple[Reader, ...] = (_one_value, _many_results)
_SET_VALUES: tuple[Reader, ...] = (_one_value, _many_values)
_ACTION_PARAMETERS: tuple[Reader, ...] = (_one_parameter, _many_values)
_ACTION_RESPONSES: tuple[Reader, ...] = (_one_return, _one_response, _many_responses)
_BLOCK_CHOICES = {0: "raw-data", 1: "data-access-result"}


def _block(c: Cursor, name: str, contents: tuple[Reader, ...], first: bool) -> None:
    """A datablock of SET or ACTION: last-block, number, octets; decoded in place when it is the only one.

    `first`: the service says that this is the first block, whatever its number.
    """
    c.open(name)
    last = boolean(c, "last-block")
    number = block_number(c)
    raw_data(c, "raw-data", last and (first or number == 1), last, contents)
    size = len(c.children[-1].value)
    c.close(number, f"block {number}{' (last)' if last else ''}, {size} octets")


# GET.


def _result(c: Cursor) -> None:
    read_data_result(c, "result")


def _results(c: Cursor) -> None:
    data_results(c)


def _get_block(c: Cursor) -> None:
    c.open("result")
    last = boolean(c, "last-block")
    number = block_number(c)
    choice = c.u8("choice", _BLOCK_CHOICES)
    words = f"block {number}{' (last)' if last else ''}, "
    if choice == 0:
        request = c.session.context.request
        contents = _GET_RESULTS[::-1] if request is not None and request.with_list else _GET_RESULTS
        raw_data(c, "raw-data", last and number == 1, last, contents)
        words += f"{len(c.children[-1].value)} octets"
    elif choice == 1:
        code = data_access_result(c)
        words += f"data-access-result {codes.DATA_ACCESS_RESULTS.get(code, code)}"
    else:
        raise c.unexpected("choice of the block", choice, "0 (raw-data) or 1 (data-access-result)")
    c.close(number, words)


GET_REQUEST = service(
    get_request_normal=(1, (selected_attribute,)),
    get_request_next=(2, (block_number,)),
    get_request_with_list=(3, (attributes,)),
)
GET_RESPONSE = service(
    get_response_normal=(1, (_result,)),
    get_response_with_datablock=(2, (_get_block,)),
    get_response_with_list=(3, (_results,)),
)


# SET.


def _set_first_block(c: Cursor) -> None:
    _block(c, "datablock", _SET_VALUES, True)


def _set_first_list_block(c: Cursor) -> None:
    _block(c, "datablock", _SET_VALUES[::-1], True)


def _set_block(c: Cursor) -> None:
    _block(c, "datablock", _SET_VALUES, False)


def _set_result(c: Cursor) -> None:
    data_access_result(c, "result")


SET_REQUEST = service(
    set_request_normal=(1, (selected_attribute, value)),
    set_request_with_first_datablock=(2, (selected_attribute, _set_first_block)),
    set_request_with_datablock=(3, (_set_block,)),
    set_request_with_list=(4, (attributes, values)),
    set_request_with_list_and_first_datablock=(5, (attributes, _set_first_list_block)),
)
SET_RESPONSE = service(
    set_response_normal=(1, (_set_result,)),
    set_response_datablock=(2, (block_number,)),
    set_response_last_datablock=(3, (_set_result, block_number)),
    set_response_last_datablock_with_list=(4, (data_access_results, block_number)),
    set_response_with_list=(5, (data_access_results,)),
)


# ACTION.


def _parameters(c: Cursor) -> None:
    optional(c, "method-invocation-parameters", _read_parameters)


def _read_parameters(c: Cursor) -> tuple[Any, str]:
    result = read_data(c, "data", shape_of(reference_of(c)))
    return result, c.children[-1].text


def _parameter_list(c: Cursor) -> None:
    read_list(
        c,
        "method-invocation-parameters",
        lambda c, index: read_data(c, element_name(index), shape_of(reference_of(c, index))),
    )


def _first_pblock(c: Cursor) -> None:
    _block(c, "pblock", _ACTION_PARAMETERS, True)


def _first_list_pblock(c: Cursor) -> None:
    _block(c, "pblock", _ACTION_PARAMETERS[::-1], True)


def _pblock(c: Cursor) -> None:
    _block(c, "pblock", _ACTION_PARAMETERS, False)


def _response_pblock(c: Cursor) -> None:
    _block(c, "pblock", _ACTION_RESPONSES, False)


def _read_return(c: Cursor) -> tuple[Any, str]:
    result = read_data_result(c, "result")
    return result, c.children[-1].text


def _read_action_response(c: Cursor, name: str) -> int:
    c.open(name)
    code = c.code("action-result", codes.ACTION_RESULTS)
    optional(c, "return-parameters", _read_return)
    words = codes.ACTION_RESULTS.get(code, str(code))
    returned = c.children[-1]
    c.close(code, f"{words}, {returned.text}" if returned.children else words)
    return code


def _action_response(c: Cursor) -> None:
    _read_action_response(c, "response")


def _action_responses(c: Cursor) -> None:
    read_list(c, "response-list", lambda c, index: _read_action_response(c, element_name(index)))


ACTION_REQUEST = service(
    action_request_normal=(1, (method, _parameters)),
    action_request_next_pblock=(2, (block_number,)),
    action_request_with_list=(3, (methods, _parameter_list)),
    action_request_with_first_pblock=(4, (method, _first_pblock)),
    action_request_with_list_and_first_pblock=(5, (methods, _first_list_pblock)),
    action_request_with_pblock=(6, (_pblock,)),
)
ACTION_RESPONSE = service(
    action_response_normal=(1, (_action_response,)),
    action_response_with_pblock=(2, (_response_pblock,)),
    action_response_with_list=(3, (_action_responses,)),
    action_response_next_pblock=(4, (block_number,)),
)


# ACCESS.

_ACCESS_CHOICES = {
    1: "access-request-get",
    2: "access-request-set",
    3: "access-request-action",
    4: "access-request-get-with-selection",
    5: "access-request-set-with-selection",
}
_ACCESS_RESULTS = {1: "access-response-get", 2: "access-response-set", 3: "access-response-action"}


def _long_invoke_id(c: Cursor) -> None:
    c.uint("long-invoke-id-and-priority", 4)
    field = c.children[-1]
    c.children[-1] = field._replace(text=codes.long_invoke_text(field.value))


def _access_specification(c: Cursor, index: int) -> Any:
    c.open(element_name(index))
    choice = c.u8("choice", _ACCESS_CHOICES)
    if choice not in _ACCESS_CHOICES:
        raise c.unexpected("choice of an access specification", choice, "1 to 5")
    (method if choice == 3 else attribute)(c)
    reference = reference_of(c)
    text = c.children[-1].text
    if choice >= 4:
        c.open("access-selection")
        c.close(*selection_of(reference)(c))
    c.close(reference, f"{_ACCESS_CHOICES[choice].removeprefix('access-request-')} {text}")
    return reference


def _access_specifications(c: Cursor) -> None:
    c.session.references = read_list(c, "access-request-specification", _access_specification)


def _access_parameter(c: Cursor, index: int) -> Any:
    """The data of one specification: the value of an attribute, or the parameters of a method."""
    reference = reference_of(c, index)
    if reference is not None and reference.method:
        return read_data(c, element_name(index), shape_of(reference))
    return read_value(c, element_name(index), index)


def _access_result(c: Cursor, index: int) -> int:
    c.open(element_name(index))
    choice = c.u8("choice", _ACCESS_RESULTS)
    if choice not in _ACCESS_RESULTS:
        raise c.unexpected("choice of an access response", choice, "1 to 3")
    texts = codes.ACTION_RESULTS if choice == 3 else codes.DATA_ACCESS_RESULTS
    code = c.code("result", texts)
    c.close(code, f"{_ACCESS_RESULTS[choice].removeprefix('access-response-')} {texts.get(code, code)}")
    return code


def _read_specifications(c: Cursor) -> tuple[Any, str]:
    _access_specifications(c)
    return c.children[-1].value, c.children[-1].text


def read_access_request(c: Cursor) -> None:
    """Access-Request."""
    c.u8("tag", APDU_TAGS)
    _long_invoke_id(c)
    read_optional_date_time(c, "date-time")
    _access_specifications(c)
    read_list(c, "access-request-list-of-data", _access_parameter)


def read_access_response(c: Cursor) -> None:
    """Access-Response; its values belong to the specification it repeats, or else to the request's."""
    c.u8("tag", APDU_TAGS)
    _long_invoke_id(c)
    read_optional_date_time(c, "date-time")
    optional(c, "access-request-specification", _read_specifications)
    read_list(c, "access-response-list-of-data", lambda c, index: read_value(c, element_name(index), index))
    read_list(c, "access-response-specification", _access_result)


# Events and notifications.


def _read_time(c: Cursor) -> tuple[Any, str]:
    octets = read_optional_date_time(c, "date-time")
    return octets, c.children[-1].text


def read_event_notification(c: Cursor) -> None:
    """EventNotificationRequest: an optional time, an attribute and its value."""
    c.u8("tag", APDU_TAGS)
    optional(c, "time", _read_time)
    attribute(c)
    read_value(c, "attribute-value")


def _notification_time(c: Cursor) -> None:
    """The date-time of a Data-Notification; some meters send it with the tag 09 of Data before it."""
    start = c.position
    tagged = c.data[start : start + 2] == b"\x09\x0c" and start + 14 <= c.end
    if not tagged or not plausible_date_time(c.data[start + 2 : start + 14]):
        read_optional_date_time(c, "date-time")
        return
    c.open("date-time")
    c.u8("tag", {OCTET_STRING: "octet-string"})
    c.length()
    octets = read_form(c, DATE_TIME, "value")
    c.close(octets, c.children[-1].text)
    c.warn(
        start, start + 1, f"date-time at offset {start} has the tag 09 of Data before its length: left out"
    )


def _body(c: Cursor) -> None:
    start = c.position
    body = read_data(c, "notification-body")
    listed = listed_objects(body[0]) if isinstance(body, tuple) and len(body) > 1 else 0
    if listed and len(body) not in (listed, listed + 1):
        sentence = f"the push has {len(body)} values, the list in it {count(listed, 'object')}"
        c.warn(start, c.position, sentence, "IEC 62056-6-2, Push setup", "push-unlike-setup")


def read_data_notification(c: Cursor) -> None:
    """Data-Notification: what is pushed. Descriptors without tags are tried where plain data do not fit."""
    c.u8("tag", APDU_TAGS)
    _long_invoke_id(c)
    _notification_time(c)
    if c.attempt(_body, c.end):
        return
    start = c.position
    c.session.untagged = True
    fits = c.attempt(_body, c.end)
    c.session.untagged = False
    if fits:
        c.warn(start, c.end, "structures hold attribute descriptors without tags, which Data does not allow")
        return
    _body(c)


def read_data_notification_confirm(c: Cursor) -> None:
    """Data-Notification-Confirm."""
    c.u8("tag", APDU_TAGS)
    _long_invoke_id(c)
    read_optional_date_time(c, "date-time")


def read_exception_response(c: Cursor) -> tuple[Any, str]:
    """ExceptionResponse, with the invocation counter expected where that was the error."""
    c.u8("tag", APDU_TAGS)
    state = c.code("state-error", codes.STATE_ERRORS)
    error = c.code("service-error", codes.EXCEPTION_ERRORS)
    words = codes.STATE_ERRORS.get(state, f"state-error {state}")
    words += f", {codes.EXCEPTION_ERRORS.get(error, f'service-error {error}')}"
    if error == 6:
        counter = c.uint("invocation-counter", 4)
        words += f", invocation counter {counter} expected"
    return None, words
