"""The registry of fields, filled.

from cosemscope.analysis.fields.registry import FIELDS
"""

from cosemscope.analysis.fields import (
    apdu_fields,
    association_fields,
    exchange_fields,
    expert_fields,
    packet_fields,
    security_fields,
    stream_fields,
    timing_fields,
    wpdu_fields,
)
from cosemscope.analysis.fields.row_field import FIELDS

__all__ = [
    "FIELDS",
    "apdu_fields",
    "association_fields",
    "exchange_fields",
    "expert_fields",
    "packet_fields",
    "security_fields",
    "stream_fields",
    "timing_fields",
    "wpdu_fields",
]
