"""An order was placed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.order import Order
from genoflow.events.types import DocumentId, RunId


class CaseOpened(Order):
    """Members, roles and what is owed are settled; every later question about the order is answered
    here.
    """

    about: ClassVar[About] = About(
        topics=(topics.CASE,), key="case_id", version="1.1", identity=("case_id",)
    )

    run_id: RunId | None = Field(
        None, description="of its first run, where whoever ordered was told it; else made then"
    )
    configuration: DocumentId | None = Field(
        None, description="whose parameters go over the pipeline's own"
    )
