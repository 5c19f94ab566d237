"""Everything; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from genoflow.api.client.resources.authentication import AuthenticationCalls
from genoflow.api.client.resources.cases import CasesCalls
from genoflow.api.client.resources.configuration import ConfigurationCalls
from genoflow.api.client.resources.events import EventsCalls
from genoflow.api.client.resources.execution import ExecutionCalls
from genoflow.api.client.resources.files import FilesCalls
from genoflow.api.client.resources.ingestion import IngestionCalls
from genoflow.api.client.resources.monitoring import MonitoringCalls
from genoflow.api.client.resources.notifications import NotificationsCalls
from genoflow.api.client.resources.parked import ParkedCalls
from genoflow.api.client.resources.pipelines import PipelinesCalls
from genoflow.api.client.resources.proposals import ProposalsCalls
from genoflow.api.client.resources.qc import QcCalls
from genoflow.api.client.resources.results import ResultsCalls
from genoflow.api.client.resources.samples import SamplesCalls
from genoflow.api.client.resources.sequencing_runs import SequencingRunsCalls
from genoflow.api.client.resources.timelines import TimelinesCalls
from genoflow.api.client.resources.why import WhyCalls
from genoflow.api.client.wire import Wire


class Resources:
    """All calls, by what they are about."""

    def __init__(self, wire: Wire) -> None:
        self.monitoring = MonitoringCalls(wire)
        self.authentication = AuthenticationCalls(wire)
        self.samples = SamplesCalls(wire)
        self.files = FilesCalls(wire)
        self.ingestion = IngestionCalls(wire)
        self.sequencing_runs = SequencingRunsCalls(wire)
        self.cases = CasesCalls(wire)
        self.qc = QcCalls(wire)
        self.execution = ExecutionCalls(wire)
        self.results = ResultsCalls(wire)
        self.pipelines = PipelinesCalls(wire)
        self.proposals = ProposalsCalls(wire)
        self.notifications = NotificationsCalls(wire)
        self.parked = ParkedCalls(wire)
        self.configuration = ConfigurationCalls(wire)
        self.events = EventsCalls(wire)
        self.timelines = TimelinesCalls(wire)
        self.why = WhyCalls(wire)
