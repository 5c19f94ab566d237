"""What a receiver is told: a notice, and how it reads by each channel."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from genoflow.events.types import Part
from genoflow.processors.ports import Deployment, Letter


class Notice(Part):
    """What a receiver is told."""

    notification_id: UUID
    source_event_id: UUID
    source_type: str
    source_topic: str
    source_key: str
    source_occurred_at: datetime
    headline: str


def letter_of(notice: Notice, subscription_id: str, target: str, deployment: Deployment) -> Letter:
    """The e-mail of a notice: what happened, its ids, and where to read on."""
    lines = [
        f"{notice.headline}.",
        "",
        f"Event:   {notice.source_type} {notice.source_event_id}",
        f"Subject: {notice.source_key}",
        f"When:    {notice.source_occurred_at:%Y-%m-%d %H:%M:%S} UTC",
        f"More:    {_link(notice, deployment) or f'genoflow timeline {notice.source_key}'}",
        "",
        f"You are told because of the subscription {subscription_id}.",
        f"To end it: genoflow subscription cancel {subscription_id}",
    ]
    return Letter(notice.notification_id, (target,), notice.headline, "\n".join(lines) + "\n")


def body_of(notice: Notice, subscription_id: str, deployment: Deployment) -> str:
    """The payload of a webhook: ids and a link, no data; whoever may read them asks for them."""
    data = {
        "event_id": str(notice.source_event_id),
        "topic": notice.source_topic,
        "subject": notice.source_key,
        "subscription_id": subscription_id,
    }
    if link := _link(notice, deployment):
        data["link"] = link
    at = notice.source_occurred_at.isoformat()
    told = {"type": notice.source_type, "timestamp": at, "data": data}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def line_of(notice: Notice, deployment: Deployment) -> str:
    """What a phone shows: what happened, and where to read on."""
    return " ".join(filter(None, (notice.headline, _link(notice, deployment))))


def text_of(notice: Notice, subscription_id: str, deployment: Deployment) -> str:
    """The message to a room: what happened, its subject, and where to read on."""
    more = _link(notice, deployment) or f"genoflow timeline {notice.source_key}"
    return (
        f"{notice.headline}\n{notice.source_type} of {notice.source_key}, "
        f"{notice.source_occurred_at:%Y-%m-%d %H:%M:%S} UTC\n{more}\n"
        f"(subscription {subscription_id})"
    )


def _link(notice: Notice, deployment: Deployment) -> str:
    base = deployment.public_url.rstrip("/")
    return f"{base}/events/{notice.source_event_id}" if base else ""
