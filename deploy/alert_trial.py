"""`genoflow alerts test`: rules that nobody published yet, held against an exported log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genoflow.deploy.catalog_documents import parse_documents
from genoflow.deploy.settings import Settings
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.codec import Codec
from genoflow.events.envelope import Producer
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.container import ContainerReader
from genoflow.events.log.recorded import Recorded
from genoflow.events.registry import released
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.watchtower.rehearsal import rehearse


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules said of a log."""

    alerts: tuple[AlertRaised, ...]
    ends: dict[str, datetime]  # of alerts that are over, by id
    parked: int  # records that could not be read

    def plain(self) -> list[dict[str, Any]]:
        """One object for each alert."""
        return [
            {
                "alert_id": str(one.alert_id),
                "raised_at": one.envelope.occurred_at.isoformat(),
                "resolved_at": ended.isoformat() if ended else None,
                "part_of": str(one.part_of) if one.part_of else None,
                **{
                    name: value
                    for name, value in one.payload().items()
                    if name in ("rule", "kind", "severity", "group", "subject_key", "headline")
                },
            }
            for one in self.alerts
            for ended in (self.ends.get(str(one.alert_id)),)
        ]


def rules_in(path: Path, settings: Settings) -> list[AlertRulesPublished]:
    """The documents of rules in a file; Refused names each fault of them."""
    text = path.read_text(encoding="utf-8")
    found = parse_documents([(str(path), text)], (), PrivacyGuard(settings.person_patterns))
    rules = [one for one in found if isinstance(one, AlertRulesPublished)]
    if not rules:
        raise Refused(
            f'{path}: holds no rules of alerts; their documents say "kind": "alert-rules"'
        )
    return rules


async def tried(rules: Sequence[AlertRulesPublished], log: Path, until: datetime | None) -> Trial:
    """Play the exported log against these rules."""
    said: list[Event] = []
    by = Producer(service="watchtower", version=version("genoflow"))
    for document in rules:
        said += await rehearse(_records(log), document, by, until)
    ends = [one for one in said if isinstance(one, AlertResolved)]
    raised = (one for one in said if isinstance(one, AlertRaised))
    return Trial(
        alerts=tuple(sorted(raised, key=lambda one: one.envelope.occurred_at)),
        ends={str(one.alert_id): one.envelope.occurred_at for one in ends},
        parked=sum(one.type() == "EventParked" for one in said),
    )


async def _records(path: Path) -> AsyncIterator[Recorded]:
    codec = Codec(released())
    with path.open("rb") as source:
        for one in ContainerReader(source, str(path)):
            yield Recorded(
                one.topic, one.partition, one.offset, one.recorded_at_ms, one.key, one.value,
                one.headers, codec,
            )  # fmt: skip


def moment(text: datetime | None) -> datetime | None:
    """A time of the command line, which is UTC."""
    return None if text is None else text.replace(tzinfo=UTC)
