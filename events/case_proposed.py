"""Somebody wants to place an order."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.order import Order
from genoflow.events.proposal import Proposal
from genoflow.events.types import DocumentId, RunId


class CaseProposed(Order, Proposal):
    """Asks for CaseOpened; whether the case is there and its samples fit, the order of it decides.

    It is free of what looks wrong by itself: that was refused before.
    """

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.1", identity=("case_id", "request_id")
    )

    run_id: RunId | None = Field(
        None, description="of its first run, where whoever ordered was told it; else made then"
    )
    configuration: DocumentId | None = Field(
        None, description="whose parameters go over the pipeline's own"
    )
