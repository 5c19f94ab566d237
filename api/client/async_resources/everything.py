"""Everything; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from genoflow.api.client.async_resources.authentication import AsyncAuthenticationCalls
from genoflow.api.client.async_resources.cases import AsyncCasesCalls
from genoflow.api.client.async_resources.configuration import AsyncConfigurationCalls
from genoflow.api.client.async_resources.events import AsyncEventsCalls
from genoflow.api.client.async_resources.execution import AsyncExecutionCalls
from genoflow.api.client.async_resources.files import AsyncFilesCalls
from genoflow.api.client.async_resources.ingestion import AsyncIngestionCalls
from genoflow.api.client.async_resources.monitoring import AsyncMonitoringCalls
from genoflow.api.client.async_resources.notifications import AsyncNotificationsCalls
from genoflow.api.client.async_resources.parked import AsyncParkedCalls
from genoflow.api.client.async_resources.pipelines import AsyncPipelinesCalls
from genoflow.api.client.async_resources.proposals import AsyncProposalsCalls
from genoflow.api.client.async_resources.qc import AsyncQcCalls
from genoflow.api.client.async_resources.results import AsyncResultsCalls
from genoflow.api.client.async_resources.samples import AsyncSamplesCalls
from genoflow.api.client.async_resources.sequencing_runs import AsyncSequencingRunsCalls
from genoflow.api.client.async_resources.timelines import AsyncTimelinesCalls
from genoflow.api.client.async_resources.why import AsyncWhyCalls
from genoflow.api.client.wire import AsyncWire


class AsyncResources:
    """All calls, by what they are about."""

    def __init__(self, wire: AsyncWire) -> None:
        self.monitoring = AsyncMonitoringCalls(wire)
        self.authentication = AsyncAuthenticationCalls(wire)
        self.samples = AsyncSamplesCalls(wire)
        self.files = AsyncFilesCalls(wire)
        self.ingestion = AsyncIngestionCalls(wire)
        self.sequencing_runs = AsyncSequencingRunsCalls(wire)
        self.cases = AsyncCasesCalls(wire)
        self.qc = AsyncQcCalls(wire)
        self.execution = AsyncExecutionCalls(wire)
        self.results = AsyncResultsCalls(wire)
        self.pipelines = AsyncPipelinesCalls(wire)
        self.proposals = AsyncProposalsCalls(wire)
        self.notifications = AsyncNotificationsCalls(wire)
        self.parked = AsyncParkedCalls(wire)
        self.configuration = AsyncConfigurationCalls(wire)
        self.events = AsyncEventsCalls(wire)
        self.timelines = AsyncTimelinesCalls(wire)
        self.why = AsyncWhyCalls(wire)
