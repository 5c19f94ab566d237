"""Every read model there is; the audit trail is fed first."""

from __future__ import annotations

from genoflow.projections.alerts import Alerts
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.budgets import Budgets
from genoflow.projections.cases import Cases
from genoflow.projections.catalog import Catalog
from genoflow.projections.files import Files
from genoflow.projections.model import AnyModel
from genoflow.projections.parked import Parked
from genoflow.projections.qc import Qc
from genoflow.projections.results import Results
from genoflow.projections.runs import Runs
from genoflow.projections.samples import Samples
from genoflow.projections.sequencing_runs import SequencingRuns
from genoflow.projections.subscriptions import Subscriptions
from genoflow.projections.uploads import Uploads

MODELS: tuple[AnyModel, ...] = (
    AuditTrail(),
    Files(),
    Uploads(),
    SequencingRuns(),
    Samples(),
    Qc(),
    Cases(),
    Runs(),
    Results(),
    Catalog(),
    Subscriptions(),
    Budgets(),
    Alerts(),
    Parked(),
)
BY_NAME: dict[str, AnyModel] = {model.name: model for model in MODELS}
