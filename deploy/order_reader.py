"""Orders that come by the API, held to the rules of every order."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.api.ports import NoOrder
from genoflow.events.order import Order
from genoflow.processors.intake.orders import OrderRefused, read_order
from genoflow.processors.intake.privacy import PrivacyGuard

SOURCE = "api"  # what ordered, where the order names no system


class OrderReader:
    """Orders by the porch that files and commands take, too."""

    def __init__(self, person_patterns: Sequence[str]) -> None:
        self._guard = PrivacyGuard(person_patterns)

    def read(self, document: object) -> Order:
        """The order in a document; NoOrder names everything that is wrong with it."""
        try:
            return read_order(document, self._guard, source=SOURCE)
        except OrderRefused as error:
            raise NoOrder([(one.place, one.fact) for one in error.problems]) from error
