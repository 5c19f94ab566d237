"""Pipelines; written by `make client` from the API's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from genoflow.api.client.call import Call, new_key, path_of
from genoflow.api.client.models.pipelines import (
    ConfigurationChecked,
    ConfigurationMade,
    Document,
    DocumentsPublished,
    DocumentWhole,
    Pipeline,
    PipelineConfiguration,
)
from genoflow.api.client.pages import Pages
from genoflow.api.client.wire import Wire


class PipelinesCalls:
    """The calls of pipelines."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        type: str | None = None,
        version: str | None = None,
        status: Literal["draft", "validated", "active", "deprecated"] | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[Pipeline]:
        """List pipelines by assay, version, or whether they are in force, with their parameters."""
        call = Call(
            method="GET",
            path="/v1/pipelines",
            query={
                "type": type,
                "version": version,
                "status": status,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, Pipeline, "pipelines")

    def list_documents(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        assay: str | None = None,
        material: str | None = None,
        document_id: str | None = None,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[Document]:
        """List versions of pipelines, profiles, references and target sets."""
        call = Call(
            method="GET",
            path="/v1/catalog/documents",
            query={
                "kind": kind,
                "state": state,
                "assay": assay,
                "material": material,
                "document_id": document_id,
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, Document, "items")

    def publish_documents(
        self, *, documents: Sequence[Mapping[str, Any]], idempotency_key: str | None = None
    ) -> DocumentsPublished:
        """Publish all of these documents that are new, or none of them; a refusal names every
        fault.
        """
        call = Call(
            method="POST",
            path="/v1/catalog/documents",
            fields={"documents": documents},
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {201: DocumentsPublished})

    def get_document(
        self,
        document_id: str,
        *,
        version: str | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> DocumentWhole:
        """Show a version of a document as it was published, the one in force where none is
        named.
        """
        call = Call(
            method="GET",
            path=path_of("/v1/catalog/documents/{document_id}", document_id=document_id),
            query={
                "version": version,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return self._wire.ask(call, {200: DocumentWhole})

    def list_configurations(
        self,
        pipeline_id: str,
        *,
        after: str | None = None,
        page_size: int | None = None,
        min_position: str | None = None,
        as_of: datetime | None = None,
        at_position: str | None = None,
    ) -> Pages[PipelineConfiguration]:
        """List the newest version of each configuration of a pipeline, presets among them."""
        call = Call(
            method="GET",
            path=path_of("/v1/pipelines/{pipeline_id}/configurations", pipeline_id=pipeline_id),
            query={
                "after": after,
                "limit": page_size,
                "min_position": min_position,
                "as_of": as_of,
                "at_position": at_position,
            },
        )
        return Pages(self._wire, call, PipelineConfiguration, "configurations")

    def save_configuration(
        self,
        pipeline_id: str,
        *,
        name: str,
        parameters: Mapping[str, Any],
        resource_requirements: Mapping[str, Any] | None = None,
        pipeline_version: str | None = None,
        idempotency_key: str | None = None,
    ) -> ConfigurationMade:
        """Save parameters of a pipeline under a name, once its schema takes them.

        The same name with other parameters is a new version of the same configuration.
        """
        call = Call(
            method="POST",
            path=path_of("/v1/pipelines/{pipeline_id}/configurations", pipeline_id=pipeline_id),
            fields={
                "name": name,
                "parameters": parameters,
                "resource_requirements": resource_requirements,
                "pipeline_version": pipeline_version,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {201: ConfigurationMade})

    def check_configuration(
        self,
        pipeline_id: str,
        *,
        name: str,
        parameters: Mapping[str, Any],
        resource_requirements: Mapping[str, Any] | None = None,
        pipeline_version: str | None = None,
        idempotency_key: str | None = None,
    ) -> ConfigurationChecked:
        """Say everything for which the pipeline would not take these parameters; save nothing."""
        call = Call(
            method="POST",
            path=path_of(
                "/v1/pipelines/{pipeline_id}/configurations/check", pipeline_id=pipeline_id
            ),
            fields={
                "name": name,
                "parameters": parameters,
                "resource_requirements": resource_requirements,
                "pipeline_version": pipeline_version,
            },
            idempotency_key=idempotency_key or new_key(),
        )
        return self._wire.ask(call, {200: ConfigurationChecked})
