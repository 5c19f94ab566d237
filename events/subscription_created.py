"""Somebody wants to be told."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.types import (
    Channel,
    Identifier,
    Name,
    Ordinal,
    ProjectId,
    SubjectKey,
    SubscriptionId,
    Target,
)


class SubscriptionCreated(Event):
    """A channel with its target and what it wants to hear; the only event that holds the target."""

    about: ClassVar[About] = About(
        topics=(topics.NOTIFICATION,),
        key="subscription_id",
        version="1.1",
        identity=("subscription_id",),
    )

    subscription_id: SubscriptionId = Field(description="the subscription")
    account_id: Identifier = Field(description="the account that it belongs to")
    channel: Channel = Field(description="email, webhook, sns or slack")
    target: Target = Field(description="an address or a URL: nowhere else on the log")
    event_types: tuple[Name, ...] = Field(
        min_length=1, max_length=100, description="the types that it wants"
    )
    subject_keys: tuple[SubjectKey, ...] = Field(
        (), max_length=1_000, description="only these; empty means all"
    )
    project_ids: tuple[ProjectId, ...] = Field(
        (), max_length=100, description="only these; empty means all"
    )
    secret_names: tuple[Identifier, ...] = Field(
        (), max_length=4, description="names of the signing secrets, newest first"
    )
    attempts_max: Ordinal = Field(8, description="how often one notification is tried")
