"""Subscriptions as the log tells them, and the files of their secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.deploy.subject import LogSubjects
from genoflow.deploy.subscriptions import (
    IN_FORCE_MAX,
    LogSubscriptions,
    Subscription,
    check_new,
    check_types,
)
from genoflow.deploy.webhook_secrets import WebhookSecrets
from genoflow.events import topics
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.errors import Parked, Refused
from genoflow.events.log.memory import MemoryLog
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.processors.headlines import TOLD_TYPES
from tests.examples import example
from tests.partition import CODEC
from tests.spec import heard
from tests.wishes import subscription


async def test_a_reader_knows_who_is_in_force_and_reads_on() -> None:
    log = MemoryLog(topics.TOPICS, partitions=2, codec=CODEC)
    reader = LogSubscriptions(log, LogSubjects(log))
    assert list(await reader.in_force()) == []
    ended = SubscriptionCancelled(subscription_id="A", reason_code="gone", reason="410")
    facts = (subscription("A"), subscription("B"), subscription("A", target="x@y.org"), ended)
    for fact in (*facts, example(NotificationFailed, 1), ended):
        await log.append(fact if fact.has_envelope else heard(fact))
    assert [one.subscription_id for one in await reader.in_force()] == ["B"]
    [first, _] = await reader.all()
    assert first.created.target == subscription().target
    await log.append(heard(subscription("C")))
    assert [one.subscription_id for one in await reader.in_force()] == ["B", "C"]


async def test_the_project_of_a_case_is_what_its_order_says() -> None:
    log = MemoryLog(topics.TOPICS, partitions=2, codec=CODEC)
    reader = LogSubscriptions(log, LogSubjects(log))
    assert await reader.project_of("C1") is None
    member = CaseMember(sample_id="S1", role="single", subject_ref="P-1")
    order = CaseOpened(
        case_id="C1", kind="single", members=(member,), assay="wgs", reference="GRCh38",
        source="tests", project_id="P1",
    )  # fmt: skip
    await log.append(heard(order))
    assert await reader.project_of("C1") == "P1"


def test_no_more_are_created_than_can_be_told() -> None:
    many = [Subscription(subscription(f"S{n}")) for n in range(IN_FORCE_MAX)]
    with pytest.raises(Refused, match="1,000 subscriptions are in force"):
        check_new(subscription("new"), many)
    assert not check_new(subscription("S1"), many)
    assert check_new(subscription("new"), many[1:])
    assert check_types(()) == TOLD_TYPES


def test_secrets_that_cannot_be_used_say_how_to_mend_it(tmp_path: Path) -> None:
    kept = WebhookSecrets(tmp_path)
    with pytest.raises(Parked, match="cannot be read"):
        kept.valid("S")
    first = kept.create("S")
    assert kept.create("S") == first
    path = tmp_path / "webhook-secrets" / "S"
    path.chmod(0o640)
    with pytest.raises(Parked, match="chmod 600"):
        kept.valid("S")
    path.chmod(0o600)
    second = kept.rotate("S")
    third = kept.rotate("S")
    assert list(kept.valid("S")) == [third, second]
    path.write_text("nonsense\n")
    with pytest.raises(Parked, match="holds no secret"):
        kept.valid("S")
    kept.remove("S")
    kept.remove("S")
    with pytest.raises(Refused):
        kept.create("../S")
