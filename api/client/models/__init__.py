"""What the API answers, as the OpenAPI has them."""

from genoflow.api.client.models.authentication import TokenResponse, User
from genoflow.api.client.models.cases import Case, CaseMember, CaseWhole
from genoflow.api.client.models.configuration import Configuration
from genoflow.api.client.models.events import Lineage
from genoflow.api.client.models.execution import Job, Progress, Task, Usage
from genoflow.api.client.models.files import Assigned, File
from genoflow.api.client.models.ingestion import (
    Finding,
    FoundInFile,
    Upload,
    UploadBegun,
    UploadCompleted,
    UploadPart,
    UploadPartIn,
    UploadPartLink,
    UploadPartLinks,
    UploadParts,
    UploadSent,
    UploadSummary,
)
from genoflow.api.client.models.monitoring import Health, Metric, Metrics
from genoflow.api.client.models.notifications import (
    Cancelled,
    Channel,
    Delivery,
    Subscribed,
    Subscription,
    SubscriptionWhole,
)
from genoflow.api.client.models.parked import Answered, Parked
from genoflow.api.client.models.pipelines import (
    Document,
    DocumentsPublished,
    DocumentWhole,
    Pipeline,
    Published,
)
from genoflow.api.client.models.qc import Analysis, BoundsIn, Qc, QcAnalysis, QcMetric, QcRound
from genoflow.api.client.models.results import (
    Link,
    Links,
    ResultChange,
    ResultCheck,
    ResultFile,
    Results,
    ResultsRow,
    SampleResult,
)
from genoflow.api.client.models.samples import (
    Hold,
    Metadata,
    ReadSet,
    Relabelled,
    Sample,
    SampleCase,
    SampleMetadata,
    SampleWhole,
    WaitingSample,
)
from genoflow.api.client.models.sequencing_runs import Demultiplexed, SequencingRun
from genoflow.api.client.models.shared import Actor, Event, Producer, Proposal
from genoflow.api.client.models.timelines import Entry, Timeline
from genoflow.api.client.models.why import Reason, Why

__all__ = [
    "Actor",
    "Analysis",
    "Answered",
    "Assigned",
    "BoundsIn",
    "Cancelled",
    "Case",
    "CaseMember",
    "CaseWhole",
    "Channel",
    "Configuration",
    "Delivery",
    "Demultiplexed",
    "Document",
    "DocumentWhole",
    "DocumentsPublished",
    "Entry",
    "Event",
    "File",
    "Finding",
    "FoundInFile",
    "Health",
    "Hold",
    "Job",
    "Lineage",
    "Link",
    "Links",
    "Metadata",
    "Metric",
    "Metrics",
    "Parked",
    "Pipeline",
    "Producer",
    "Progress",
    "Proposal",
    "Published",
    "Qc",
    "QcAnalysis",
    "QcMetric",
    "QcRound",
    "ReadSet",
    "Reason",
    "Relabelled",
    "ResultChange",
    "ResultCheck",
    "ResultFile",
    "Results",
    "ResultsRow",
    "Sample",
    "SampleCase",
    "SampleMetadata",
    "SampleResult",
    "SampleWhole",
    "SequencingRun",
    "Subscribed",
    "Subscription",
    "SubscriptionWhole",
    "Task",
    "Timeline",
    "TokenResponse",
    "Upload",
    "UploadBegun",
    "UploadCompleted",
    "UploadPart",
    "UploadPartIn",
    "UploadPartLink",
    "UploadPartLinks",
    "UploadParts",
    "UploadSent",
    "UploadSummary",
    "Usage",
    "User",
    "WaitingSample",
    "Why",
]
