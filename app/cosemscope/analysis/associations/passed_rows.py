"""Looks at rows in any order, once the pass over all rows has been made."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook
from cosemscope.analysis.associations.looks import Associations


class PassedRows:
    """Serves fields that need looks, for rows that the pass of `bulk.complete` has taken."""

    def __init__(self, associations: Associations) -> None:
        self._associations = associations

    def looks(self, rows: npt.NDArray[np.int64]) -> list[AnyLook]:
        """A look at each of these rows."""
        return [self._associations.look(row) for row in rows.tolist()]

    def infos(self, rows: npt.NDArray[np.int64], looks: list[AnyLook]) -> list[str]:
        """The info line of each of these rows."""
        return [self._associations.info(row) for row in rows.tolist()]
