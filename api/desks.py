"""Rules of what people may say, which the command line asks too: deploy hands them to the routes.

A rule refuses with its reason: NotThere is a 404, Contradicted a 409, any other Refused a 422.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.budget_lifted import BudgetLifted
from genoflow.events.budget_set import BudgetSet
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.event import E, Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.log.port import Vector
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.subscription_created import SubscriptionCreated


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription as the log tells it."""

    created: SubscriptionCreated
    is_cancelled: bool


class Subscribers(Protocol):
    """Who wants to be told of what."""

    def event_types(self, names: Sequence[str]) -> tuple[str, ...]:
        """The types of events, each once, all that are told of without one; Refused for another."""

    def target(self, channel: str, target: str) -> str:
        """The address of a channel; Refused where nothing would ever be sent to it."""

    async def are_new(self, facts: Sequence[SubscriptionCreated]) -> bool:
        """Whether they are not on the log yet; Contradicted where others are, under their names."""

    async def named(self, subscription_id: str) -> Subscribed | None:
        """The subscription of this name; None where there is none."""

    async def secrets_of(self, fact: SubscriptionCreated) -> Sequence[str]:
        """What signs its webhooks: made now, or what was made for it before."""

    async def forget_secrets(self, fact: SubscriptionCreated) -> None:
        """Sign nothing for it any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person decides about something parked."""

    parked: EventParked
    fact: EventRequeued | EventDiscarded
    is_new: bool  # else the same decision stands on the log already


class ParkedDesk(Protocol):
    """What may be decided about what a processor could not take.

    NotThere where nothing was parked under this id, Contradicted where it was answered otherwise.
    """

    async def requeued(
        self, parked_id: UUID, reason: str, role: str, fields: dict[str, Any] | None
    ) -> Answer:
        """That it is tried again, with these fields in place of its own where there are some."""

    async def discarded(self, parked_id: UUID, reason: str, role: str) -> Answer:
        """That it is given up."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One version of a file in the object store."""

    bucket: str
    object_key: str
    version_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where it can be fetched, by whoever has this, and until when."""

    url: str = field(repr=False)
    expires_at: datetime


class Links(Protocol):
    """Links to files in the object store."""

    async def sign(self, file: StoredFile, seconds: int) -> Link:
        """A link to this version alone; NotThere where the store has no such one."""

    async def is_withdrawn(self, run_id: UUID, known: Vector) -> bool:
        """Whether the log tells, behind what is known, that results of this run changed."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of this deployment by service, without what lets somebody in."""

    environment: str
    services: Mapping[str, Mapping[str, Any]]


class Says(Protocol):
    """How somebody states a fact."""

    def __call__(self, fact: E, because: Event | None = None) -> E:
        """The fact in its envelope; nothing is appended."""


Append = Callable[[Event], Awaitable[object]]
AppendTogether = Callable[[Sequence[Event]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person says of a file."""

    place: str  # bucket/key, and @version where there are several
    sample_id: str
    read_set_id: str
    role: str
    reason: str
    lane: int | None = None


class FileDesk(Protocol):
    """Whose a file of nobody is."""

    async def assign(self, wanted: Wanted, says: Says, at: datetime, append: Append) -> None:
        """Say it, and let the file land for its sample, unless it stands so.

        NotThere where no such file waits, Contradicted where it is another's.
        """


@dataclass(frozen=True, slots=True)
class Decided:
    """How a person decides, and why."""

    reason: str
    role: str
    says: Says
    request_id: str | None


class LabelDesk(Protocol):
    """What stands under a wrong label."""

    async def relabel(
        self,
        sample_id: str,
        true_sample_id: str,
        read_set_ids: Sequence[str],
        decided: Decided,
        append: Append,
    ) -> SampleRelabelled:
        """Say that these read sets, or all that count, are another sample's.

        NotThere where nothing is known of the sample, Contradicted where one does not count.
        """  # fmt: skip


class MetadataDesk(Protocol):
    """What is said of a sample beside its reads."""

    async def amend(
        self, sample_id: str, metadata: Mapping[str, object], decided: Decided, append: Append
    ) -> SampleMetadataAmended:
        """Say that these are all the metadata of the sample; Refused names all that does not fit.

        NotThere where nothing is known of the sample.
        """

    async def brought(
        self,
        sample_id: str,
        metadata: Mapping[str, object],
        decided: Decided,
        *,
        project_id: str | None,
        may_replace: bool,
    ) -> SampleMetadataAmended | None:
        """The same of metadata that come with a file or an order, to be appended with it.

        None where just these are said already. `project_id` is the project of a sample that nobody
        has heard of. Contradicted where others are said, and may not be replaced.
        """


class HoldDesk(Protocol):
    """Legal holds: as long as one stands on a sample, nothing of it is deleted."""

    async def place(
        self, sample_id: str, hold_id: str, decided: Decided, append: Append
    ) -> LegalHoldPlaced:
        """Say that nothing of the sample may be deleted; NotThere where it is not known."""

    async def release(
        self, sample_id: str, hold_id: str, decided: Decided, append: Append
    ) -> LegalHoldReleased:
        """Say that this hold is over; NotThere where no such one stands."""


@dataclass(frozen=True, slots=True)
class BudgetWanted:
    """What the runs of a project may cost in each month from one on; 0 lifts its budget."""

    project_id: str
    from_month: str
    month_usd: Decimal
    warn_percent: Sequence[int]


Budget = BudgetSet | BudgetLifted


class BudgetDesk(Protocol):
    """What projects may spend on runs."""

    async def put(self, wanted: BudgetWanted, decided: Decided, append: Append) -> Budget:
        """Say it; NotThere where a budget is to be lifted, and there is none."""


class AlertDesk(Protocol):
    """What people say of alerts.

    NotThere where nobody raised one, Contradicted where it is over.
    """

    async def acknowledge(
        self, alert_id: UUID, decided: Decided, append: Append
    ) -> AlertAcknowledged:
        """Say that a person looks after it; the first who did is answered as it stands."""

    async def resolve(self, alert_id: UUID, decided: Decided, append: Append) -> AlertResolved:
        """Say that it is over."""


class ChartDesk(Protocol):
    """What people say of charts of quality."""

    async def restart(
        self, chart_id: UUID, decided: Decided, append: Append
    ) -> QualityChartRestarted:
        """Take what comes for normal; NotThere where there is no such chart."""


@dataclass(frozen=True, slots=True)
class Published:
    """One version of a document as it stands in the catalog."""

    kind: str
    document_id: str
    version: str
    sha256: str
    is_new: bool  # else it was published before, with the same content


class Catalog(Protocol):
    """Documents under versions that never change."""

    async def publish(
        self, documents: Sequence[Any], says: Says, append: AppendTogether
    ) -> Sequence[Published]:
        """Publish all that is new of these, or nothing; Refused names every fault.

        Contradicted where somebody was faster under one of these versions.
        """


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a configuration, and which version of the pipeline it was held against."""

    pipeline_version: str
    faults: Sequence[str]


class Configurations(Protocol):
    """Parameters of pipelines under names."""

    async def check(self, pipeline: str, wish: Mapping[str, Any]) -> Checked:
        """Everything for which it cannot be saved; NotThere where there is no such pipeline."""

    async def save(
        self, pipeline: str, wish: Mapping[str, Any], says: Says, append: Append
    ) -> ConfigurationSaved:
        """Save it as the next version of its name, or answer the same one that is saved already.

        Refused names every fault, Contradicted where somebody saved another one meanwhile.
        """


@dataclass(frozen=True, slots=True)
class Desks:
    """Every rule that a route asks."""

    subscribers: Subscribers
    parked: ParkedDesk
    links: Links
    configuration: Configuration
    files: FileDesk
    labels: LabelDesk
    metadata: MetadataDesk
    holds: HoldDesk
    budgets: BudgetDesk
    alerts: AlertDesk
    charts: ChartDesk
    catalog: Catalog
    configurations: Configurations
