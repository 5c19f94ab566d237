"""An order was placed."""

from __future__ import annotations

from typing import ClassVar

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.order import Order


class CaseOpened(Order):
    """Members, roles and what is owed are settled; every later question about the order is answered
    here.
    """

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.0", identity=("case_id",)
    )
