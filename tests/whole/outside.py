"""The outside world of the whole flow: it outlives every worker and counts what was asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from genoflow.events.event import Event
from genoflow.events.file_rejected import FileRejected
from genoflow.processors.intake.landing import landed
from genoflow.processors.ports import (
    Clock,
    Hook,
    Launcher,
    Lims,
    Mail,
    ObjectStore,
    Ports,
    Undelivered,
    Webhooks,
)
from tests.fakes import (
    FakeLauncher,
    FakeLims,
    FakeMail,
    FakeStore,
    FakeSubscriptions,
    FakeWebhooks,
    Fault,
    no_fault,
)
from tests.whole.cohort import Cohort, from_outside, wishes
from tests.whole.compute import DEPLOYMENT, WHOLE, Programs, catalog, is_refused_once

OUTCOMES = "outcomes"


class Hooks(FakeWebhooks):
    """Receivers that take most hooks at once, and some of them the second time."""

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__()
        self._fault = fault
        self._refused: set[UUID] = set()

    async def post(self, hook: Hook, at: datetime) -> int:
        self._fault("webhooks.post")
        if is_refused_once(hook.body) and hook.webhook_id not in self._refused:
            self._refused.add(hook.webhook_id)
            raise Undelivered("busy; try again", "server error", 503)
        return await super().post(hook, at)


class Outside:
    """Everything that workers reach through their ports, in one place."""

    def __init__(
        self,
        cohort: Cohort,
        clock: Clock,
        *,
        fault: Fault = no_fault,
        job_seconds: Callable[[UUID], float] = lambda _: 0.3,
    ) -> None:
        self.clock = clock
        self.store = FakeStore(clock, fault)
        self.mail = FakeMail(fault)
        self.hooks = Hooks(fault)
        self.launcher = FakeLauncher(
            self.store, OUTCOMES, Programs(cohort, self.store), job_seconds, fault
        )
        self.lims = FakeLims(fault)
        self.ports = ports_of(
            cohort, clock, self.store, self.launcher, self.mail, self.hooks, self.lims
        )

    def send_again(self, rejected: FileRejected) -> Event:
        """What a person does about a file that was rejected: the whole one lands under its name."""
        place = rejected.bucket, rejected.object_key
        kept = self.store.versions[place]
        if len(kept) == 1:
            self.store.keep(*place, WHOLE, kept[0].head.metadata)
        head = self.store.versions[place][-1].head
        return from_outside(landed(head), self.clock.now())

    def sent_again(self) -> int:
        """How many messages their receivers got more than once: a worker died before it noted."""
        times = Counter(letter.message_id for letter in self.mail.sent)
        times.update(hook.webhook_id for hook in self.hooks.posted)
        return sum(count - 1 for count in times.values())


def ports_of(
    cohort: Cohort,
    clock: Clock,
    store: ObjectStore,
    launcher: Launcher,
    mail: Mail,
    hooks: Webhooks,
    lims: Lims | None = None,
) -> Ports:
    """The ports of a worker: what is only read is at hand, what does something is outside."""
    return Ports(
        clock=clock, store=store, launcher=launcher, mail=mail, outcome_bucket=OUTCOMES,
        catalog=catalog(), deployment=DEPLOYMENT, webhooks=hooks,
        lims=lims or FakeLims(),
        subscriptions=FakeSubscriptions(
            *wishes(cohort),
            projects={case.name: case.samples[0].project for case in cohort.cases},
        ),
    )  # fmt: skip
