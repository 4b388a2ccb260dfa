"""The disconnector (class 70): what a client switches, and what the meter says of it."""

from collections.abc import Callable

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.meter.objects.cosem_object import (
    TEMPORARY_FAILURE,
    UNMATCHED_TYPE,
    CosemObject,
    RefusedAccess,
    expect,
)

DISCONNECTED, CONNECTED, READY = range(3)


class Disconnector:
    """Output and control state; in control mode 0 nobody switches. `told` is told of each change."""

    def __init__(self, told: Callable[[float, bool], None]) -> None:
        self.state, self.mode = CONNECTED, 2
        self._told = told

    def object(self) -> CosemObject:
        """The disconnector as an object."""
        return CosemObject(
            70,
            0,
            "0.0.96.3.10.255",
            {
                2: lambda now: d.boolean(self.state == CONNECTED),
                3: lambda now: d.enum(self.state),
                4: lambda now: d.enum(self.mode),
            },
            writes={4: self._set_mode},
            acts={1: self._disconnect, 2: self._reconnect},
        )

    def _set_mode(self, now: float, value: Data) -> None:
        mode = expect(value, 22).value
        if mode > 6:
            raise RefusedAccess(UNMATCHED_TYPE)
        self.mode = mode

    def _disconnect(self, now: float, parameters: Data | None) -> None:
        self._switch(now, DISCONNECTED)

    def _reconnect(self, now: float, parameters: Data | None) -> None:
        # Modes 2, 4 and 6 let the remote side close the switch at once, the others make it ready.
        self._switch(now, CONNECTED if self.mode in (2, 4) else READY)

    def _switch(self, now: float, state: int) -> None:
        if self.mode == 0:
            raise RefusedAccess(TEMPORARY_FAILURE)
        if state != self.state:
            self.state = state
            self._told(now, state == CONNECTED)
