"""Who is told of an alert, and who next while nobody takes it up."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.alert_step import AlertStep
from genoflow.events.types import Identifier, Part


class AlertLadder(Part):
    """Steps under a name; an acknowledgement ends them."""

    name: Identifier = Field(description="by which rules name it")
    steps: tuple[AlertStep, ...] = Field(min_length=1, max_length=10, description="in their order")
