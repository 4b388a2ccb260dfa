"""Hypothesis strategies for every class of APDU and every type of Data, and the octets of one of each."""

from typing import Any

from hypothesis import strategies as st

from cosemscope.apdu.context import Reference
from cosemscope.apdu.names.tags import DED_SERVICES, GLO_SERVICES
from cosemscope.application.encoding.acse_apdus import Aare, Aarq, Abrt, Diagnostic, Rlre, Rlrq
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.carrier_apdus import (
    GatewayRequest,
    GatewayResponse,
    GeneralBlockTransfer,
)
from cosemscope.application.encoding.data_values import Data, TypeDescription, compact_array
from cosemscope.application.encoding.get_set_action import (
    ActionAnswer,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from cosemscope.application.encoding.initiate_apdus import (
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)
from cosemscope.application.encoding.notifications import (
    AccessAction,
    AccessGet,
    AccessGetWithSelection,
    AccessOutcome,
    AccessRequest,
    AccessResponse,
    AccessSet,
    AccessSetWithSelection,
    DataNotification,
    DataNotificationConfirm,
    EventNotification,
    ExceptionResponse,
)
from cosemscope.application.encoding.protected_apdus import (
    AgreedKey,
    CipheredService,
    GeneralCiphering,
    GeneralDedCiphering,
    GeneralGloCiphering,
    GeneralSigning,
    IdentifiedKey,
    ProtectedContent,
    WrappedKey,
)
from cosemscope.application.encoding.service_parts import (
    DataAccessError,
    Datablock,
    SelectedAttribute,
    SelectiveAccess,
)
from cosemscope.application.encoding.short_name_apdus import (
    BlockNumberAccess,
    BlockNumberResult,
    DataBlockResult,
    InformationReport,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    VariableName,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
)

U8, U16, U24, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 24, 32))
_OCTETS = st.binary(max_size=40)


def _many(inner: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(inner, min_size=least, max_size=4).map(tuple)


# Data.

_CONTENTS: dict[int, st.SearchStrategy[Any]] = {
    0: st.none(),
    3: st.booleans(),
    4: st.text("01", max_size=40),
    5: st.integers(-(2**31), 2**31 - 1),
    6: U32,
    9: st.binary(max_size=200),
    10: st.text(st.characters(max_codepoint=255), max_size=20),
    12: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    13: U8,
    15: st.integers(-128, 127),
    16: st.integers(-(2**15), 2**15 - 1),
    17: U8,
    18: U16,
    20: st.integers(-(2**63), 2**63 - 1),
    21: st.integers(0, 2**64 - 1),
    22: U8,
    23: st.floats(width=32, allow_nan=False),
    24: st.floats(allow_nan=False),
    25: st.binary(min_size=12, max_size=12),
    26: st.binary(min_size=5, max_size=5),
    27: st.binary(min_size=4, max_size=4),
    28: st.integers(-128, 127),
    29: st.integers(-(2**15), 2**15 - 1),
    30: st.integers(-(2**31), 2**31 - 1),
    31: U8,
    32: U16,
    33: U32,
    255: st.none(),
}
#: The types with content: what a compact array of them holds can be counted.
_CONTAINED = sorted(_CONTENTS.keys() - {0, 255})


@st.composite
def _scalars(draw: st.DrawFn) -> Data:
    tag = draw(st.sampled_from(sorted(_CONTENTS)))
    return Data(tag, draw(_CONTENTS[tag]))


_DESCRIPTIONS: st.SearchStrategy[TypeDescription] = st.recursive(
    st.sampled_from(_CONTAINED).map(TypeDescription),
    lambda inner: st.one_of(
        st.tuples(st.integers(1, 3), inner).map(lambda pair: TypeDescription(1, pair[0], (pair[1],))),
        st.lists(inner, min_size=1, max_size=4).map(lambda kinds: TypeDescription(2, 0, tuple(kinds))),
    ),
    max_leaves=5,
)


def _of(draw: st.DrawFn, kind: TypeDescription) -> Data:
    if kind.tag == 1:
        return Data(1, tuple(_of(draw, kind.inner[0]) for _ in range(kind.size)))
    if kind.tag == 2:
        return Data(2, tuple(_of(draw, inner) for inner in kind.inner))
    return Data(kind.tag, draw(_CONTENTS[kind.tag]))


@st.composite
def _compact_arrays(draw: st.DrawFn) -> Data:
    kind = draw(_DESCRIPTIONS)
    return compact_array(kind, [_of(draw, kind) for _ in range(draw(st.integers(0, 4)))])


DATA: st.SearchStrategy[Data] = st.recursive(
    _scalars() | _compact_arrays(),
    lambda inner: st.tuples(st.sampled_from([1, 2]), _many(inner)).map(lambda pair: Data(*pair)),
    max_leaves=10,
)

# Parts.

ATTRIBUTES = st.builds(
    Reference, U16, st.binary(min_size=6, max_size=6), st.integers(-128, 127), st.just(False)
)
METHODS = st.builds(Reference, U16, st.binary(min_size=6, max_size=6), U8, st.just(True))
_SELECTIONS = st.builds(SelectiveAccess, U8, DATA)
_SELECTION = st.none() | _SELECTIONS
_LIST = _many(st.builds(SelectedAttribute, ATTRIBUTES, _SELECTION))
_ERRORS = st.builds(DataAccessError, U8)
_RESULTS = DATA | _ERRORS
_BLOCKS = st.builds(Datablock, st.booleans(), U32, _OCTETS)
_ANSWERS = st.builds(ActionAnswer, U8, st.none() | _RESULTS)
_TIME = st.just(b"") | st.binary(min_size=12, max_size=12)
_SPECIFICATIONS = _many(
    st.one_of(
        st.builds(AccessGet, ATTRIBUTES),
        st.builds(AccessSet, ATTRIBUTES),
        st.builds(AccessAction, METHODS),
        st.builds(AccessGetWithSelection, ATTRIBUTES, _SELECTIONS),
        st.builds(AccessSetWithSelection, ATTRIBUTES, _SELECTIONS),
    )
)
_VARIABLES = _many(
    st.one_of(
        st.builds(VariableName, U16),
        st.builds(ParameterizedAccess, U16, U8, DATA),
        st.builds(BlockNumberAccess, U16),
        st.builds(ReadDataBlockAccess, st.booleans(), U16, _OCTETS),
        st.builds(WriteDataBlockAccess, st.booleans(), U16),
    )
)
_TITLE = st.binary(min_size=8, max_size=8)
_PLAIN = st.sampled_from(
    [
        encode(GetRequestNormal(0xC1, Reference(3, bytes.fromhex("0100010800ff"), 2))),
        encode(SetResponseNormal(0xC1, 0)),
        encode(DataNotification(1, b"", Data(17, 5))),
    ]
)
_INITIATE = st.sampled_from([encode(InitiateRequest(0x1D, 1024)), encode(InitiateResponse(0x1D, 1024))])


@st.composite
def _protected(draw: st.DrawFn) -> ProtectedContent:
    control = (
        draw(st.sampled_from([0x10, 0x20, 0x30])) | draw(st.integers(0, 2)) | draw(st.sampled_from([0, 64]))
    )
    text = draw(st.binary(max_size=60)) if control & 0x20 else draw(_PLAIN)
    mark = draw(st.binary(min_size=12, max_size=12)) if control & 0x10 else b""
    return ProtectedContent(control, draw(U32), text, mark)


_ENVELOPE = (_OCTETS, _TITLE, _TITLE, _TIME, _OCTETS)
_KEY_INFO = st.one_of(
    st.none(),
    st.builds(IdentifiedKey, U8),
    st.builds(WrappedKey, U8, _OCTETS),
    st.builds(AgreedKey, _OCTETS, _OCTETS),
)
_ARC = st.integers(0, 127)
_NUMBER = st.none() | st.integers(-(2**31), 2**31 - 1)
_MAYBE_OCTETS = st.none() | _OCTETS
_MAYBE_TITLE = st.none() | _TITLE
_MAYBE_BOOL = st.none() | st.booleans()
_VERSION = st.none() | st.text("01", min_size=1, max_size=9)

#: Each class of APDU and what makes values of it.
APDUS: dict[type, st.SearchStrategy[Any]] = {
    kind: st.builds(kind, *parts)
    for kind, parts in {
        GetRequestNormal: (U8, ATTRIBUTES, _SELECTION),
        GetRequestNext: (U8, U32),
        GetRequestWithList: (U8, _LIST),
        GetResponseNormal: (U8, _RESULTS),
        GetResponseWithDatablock: (U8, st.booleans(), U32, _OCTETS | _ERRORS),
        GetResponseWithList: (U8, _many(_RESULTS)),
        SetRequestNormal: (U8, ATTRIBUTES, _SELECTION, DATA),
        SetRequestWithFirstDatablock: (U8, ATTRIBUTES, _SELECTION, _BLOCKS),
        SetRequestWithDatablock: (U8, _BLOCKS),
        SetRequestWithList: (U8, _LIST, _many(DATA)),
        SetRequestWithListAndFirstDatablock: (U8, _LIST, _BLOCKS),
        SetResponseNormal: (U8, U8),
        SetResponseDatablock: (U8, U32),
        SetResponseLastDatablock: (U8, U8, U32),
        SetResponseLastDatablockWithList: (U8, _many(U8), U32),
        SetResponseWithList: (U8, _many(U8)),
        ActionRequestNormal: (U8, METHODS, st.none() | DATA),
        ActionRequestNextPblock: (U8, U32),
        ActionRequestWithList: (U8, _many(METHODS), _many(DATA)),
        ActionRequestWithFirstPblock: (U8, METHODS, _BLOCKS),
        ActionRequestWithListAndFirstPblock: (U8, _many(METHODS), _BLOCKS),
        ActionRequestWithPblock: (U8, _BLOCKS),
        ActionResponseNormal: (U8, _ANSWERS),
        ActionResponseWithPblock: (U8, _BLOCKS),
        ActionResponseWithList: (U8, _many(_ANSWERS)),
        ActionResponseNextPblock: (U8, U32),
        AccessRequest: (U32, _TIME, _SPECIFICATIONS, _many(DATA)),
        AccessResponse: (
            U32,
            _TIME,
            st.none() | _SPECIFICATIONS,
            _many(DATA),
            _many(st.builds(AccessOutcome, st.integers(1, 3), U8)),
        ),
        EventNotification: (st.none() | _TIME, ATTRIBUTES, DATA),
        DataNotification: (U32, _TIME, DATA),
        DataNotificationConfirm: (U32, _TIME),
        ReadRequest: (_VARIABLES,),
        WriteRequest: (_VARIABLES, _many(DATA)),
        UnconfirmedWriteRequest: (_VARIABLES, _many(DATA)),
        InformationReport: (_MAYBE_OCTETS, _VARIABLES, _many(DATA)),
        ReadResponse: (
            _many(
                DATA
                | _ERRORS
                | st.builds(DataBlockResult, st.booleans(), U16, _OCTETS)
                | st.builds(BlockNumberResult, U16)
            ),
        ),
        WriteResponse: (_many(st.none() | _ERRORS | st.builds(BlockNumberResult, U16)),),
        InitiateRequest: (U24, U16, _MAYBE_OCTETS, st.booleans(), st.none() | st.integers(-128, 127), U8),
        InitiateResponse: (U24, U16, U16, st.none() | st.integers(-128, 127), U8),
        ConfirmedServiceError: (U8, U8, U8),
        Aarq: (
            _ARC,
            st.none() | _INITIATE,
            st.none() | _ARC,
            _MAYBE_OCTETS,
            _MAYBE_TITLE,
            _MAYBE_OCTETS,
            _NUMBER,
            _NUMBER,
            _MAYBE_TITLE,
            _MAYBE_OCTETS,
            _NUMBER,
            _NUMBER,
            _MAYBE_BOOL,
            _VERSION,
            _MAYBE_OCTETS,
        ),
        Aare: (
            _ARC,
            st.integers(0, 2),
            st.builds(Diagnostic, st.integers(1, 2), st.integers(0, 14)),
            st.none() | _INITIATE,
            st.none() | _ARC,
            _MAYBE_OCTETS,
            _MAYBE_TITLE,
            _MAYBE_OCTETS,
            _NUMBER,
            _NUMBER,
            _MAYBE_BOOL,
            _VERSION,
            _MAYBE_OCTETS,
        ),
        Rlrq: (st.sampled_from([None, 0, 1, 30]), st.none() | _INITIATE),
        Rlre: (st.sampled_from([None, 0, 1, 30]), st.none() | _INITIATE),
        Abrt: (st.integers(0, 1), st.none() | st.integers(1, 6), st.none() | _INITIATE),
        GeneralGloCiphering: (_TITLE, _protected()),
        GeneralDedCiphering: (_TITLE, _protected()),
        GeneralCiphering: (*_ENVELOPE, _KEY_INFO, _protected()),
        GeneralSigning: (*_ENVELOPE, _PLAIN, _OCTETS),
        CipheredService: (st.sampled_from(sorted({*GLO_SERVICES, *DED_SERVICES})), _protected()),
        GeneralBlockTransfer: (st.booleans(), st.booleans(), st.integers(0, 63), U16, U16, _OCTETS),
        GatewayRequest: (U8, _OCTETS, _PLAIN),
        GatewayResponse: (U8, _OCTETS, _PLAIN),
    }.items()
}
APDUS[ExceptionResponse] = st.builds(ExceptionResponse, U8, U8.filter(lambda code: code != 6)) | st.builds(
    ExceptionResponse, U8, st.just(6), U32
)
