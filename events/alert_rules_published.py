"""When people are alerted, and who is told, is fixed."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.alert_ladder import AlertLadder
from genoflow.events.alert_rule import AlertRule
from genoflow.events.event import About, Event
from genoflow.events.quiet_hours import QuietHours
from genoflow.events.types import DocumentId, Name, Sha256, Version


class AlertRulesPublished(Event):
    """Rules of alerts under one version, with their ladders and quiet hours."""

    about: ClassVar[About] = About(
        topics=(topics.CATALOG,),
        key="document_id",
        version="1.0",
        identity=("document_id", "version"),
        terminal=True,
    )

    document_id: DocumentId = Field(description="the document")
    version: Version = Field(description="its version")
    title: Name = Field(description="for people")
    rules: tuple[AlertRule, ...] = Field(max_length=200, description="each under its own name")
    ladders: tuple[AlertLadder, ...] = Field((), max_length=50, description="that the rules name")
    quiet: tuple[QuietHours, ...] = Field((), max_length=50, description="that the rules name")
    content_sha256: Sha256 = Field(
        description="of the rules, ladders and quiet hours as canonical JSON"
    )
