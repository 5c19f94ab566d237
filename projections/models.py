"""Every read model there is; the audit trail is fed first."""

from __future__ import annotations

from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.files import Files
from genoflow.projections.model import AnyModel
from genoflow.projections.samples import Samples
from genoflow.projections.sequencing_runs import SequencingRuns

MODELS: tuple[AnyModel, ...] = (
    AuditTrail(),
    Files(),
    SequencingRuns(),
    Samples(),
)
BY_NAME: dict[str, AnyModel] = {model.name: model for model in MODELS}
