"""What a run takes of a configuration: its parameters over the pipeline's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import Refused
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.processors.ports import CatalogReader
from genoflow.processors.running.parameters import GIVEN, faults_of


async def configuration_of(
    catalog: CatalogReader, config_id: str, version: str | None = None
) -> ConfigurationSaved | None:
    """This version of a configuration, its highest where none is named; None where none is."""
    return await catalog.find(ConfigurationSaved, config_id, version)


def parameters_with(
    pipeline: PipelinePublished, configuration: ConfigurationSaved | None
) -> dict[str, Any]:
    """The parameters of a run; Refused names everything for which the pipeline takes them not."""
    parameters = _object(pipeline, "parameters", pipeline.parameters_json)
    if configuration is None:
        return parameters
    name = f"the pipeline {pipeline.document_id} {pipeline.version}"
    which = f"configuration {configuration.document_id} {configuration.version}"
    if configuration.pipeline != pipeline.document_id:
        raise Refused(
            f"{which}: is of the pipeline {configuration.pipeline}, and not of "
            f"{pipeline.document_id}; name one of {pipeline.document_id}"
        )
    if configuration.pipeline_version not in (None, pipeline.version):
        raise Refused(
            f"{which}: is for version {configuration.pipeline_version} of {pipeline.document_id}, "
            f"and the run would take {pipeline.version}; save it for that version, too"
        )
    chosen: dict[str, Any] = json.loads(configuration.parameters_json)
    if faults := faults_in(pipeline, chosen):
        raise Refused(f"{which}: {name} does not take it ({'; '.join(faults)}); save it anew")
    return parameters | chosen


def faults_in(pipeline: PipelinePublished, parameters: Mapping[str, Any]) -> list[str]:
    """Everything for which a run of this pipeline cannot have these over its own."""
    found = [
        f"{name}: is said by the flow of every run; leave it out"
        for name in parameters
        if name in GIVEN
    ]
    whole = {**_object(pipeline, "parameters", pipeline.parameters_json), **parameters}
    schema = _object(pipeline, "schema of parameters", pipeline.parameters_schema_json)
    return found + faults_of(whole, schema)


def _object(pipeline: PipelinePublished, what: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(
            f"the pipeline {pipeline.document_id} {pipeline.version}: its {what} are no JSON "
            f"object; publish a version that has one"
        )
    return found
