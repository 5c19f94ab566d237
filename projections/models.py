"""Every read model there is; the audit trail is fed first."""

from __future__ import annotations

from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.model import AnyModel

MODELS: tuple[AnyModel, ...] = (AuditTrail(),)
BY_NAME: dict[str, AnyModel] = {model.name: model for model in MODELS}
