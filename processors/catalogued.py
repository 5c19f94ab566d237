"""What stands in the catalog, by its type: for whoever asks it for one."""

from __future__ import annotations

from typing import TypeVar

from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.target_set_published import TargetSetPublished

Document = TypeVar(
    "Document",
    AlertRulesPublished,
    ConfigurationSaved,
    MetadataSchemaPublished,
    PipelinePublished,
    QcProfilePublished,
    ReferencePublished,
    RetentionPublished,
    TargetSetPublished,
)
OfAssay = TypeVar("OfAssay", PipelinePublished, QcProfilePublished)
