"""Pipelines and their configurations as documents: machines with units, digests, parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import InvalidEvent
from genoflow.events.event import Event
from genoflow.events.identity import external_id
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.processors.configurations import faults_in
from genoflow.projections.document_states import DRAFT, order_of

DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
SIZE = re.compile(r"^([0-9]{1,6}) ?([KMGT]i?B|B)$")
UNITS = {
    unit: base**power
    for base, infix in ((1_000, ""), (1_024, "i"))
    for power, unit in enumerate(("B", f"K{infix}B", f"M{infix}B", f"G{infix}B", f"T{infix}B"))
}
MACHINE = {"cpu": "cpus", "memory": "memory_bytes", "disk": "disk_bytes"}


def with_machine(fields: dict[str, Any]) -> None:
    """Put what a step needs into an event's words; InvalidEvent names what cannot be read."""
    said = fields.get("resource_requirements")
    if said is None:
        return
    if not isinstance(said, dict) or set(said) - {*MACHINE, *MACHINE.values()}:
        raise InvalidEvent(
            f"resource_requirements: is {said!r:.60}; write cpu, memory and disk, such as "
            f'{{"cpu": 16, "memory": "64GB", "disk": "500GB"}}'
        )
    fields["resource_requirements"] = {
        MACHINE.get(name, name): _bytes(name, value) if name in ("memory", "disk") else value
        for name, value in said.items()
    }


def _bytes(name: str, value: object) -> int | None:
    if value is None:
        return None
    found = SIZE.match(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidEvent(
            f"resource_requirements.{name}: is {value!r:.60}; write a number with its unit, such "
            f"as 64GB or 64GiB"
        )
    factor: int = UNITS[found[2]]
    return int(found[1]) * factor


def with_containers(fields: dict[str, Any]) -> None:
    """Put images by their names into a list; InvalidEvent names each that is no digest."""
    said = fields.get("containers")
    if not isinstance(said, dict):
        return  # a list is held against the event's own fields
    if wrong := [name for name, one in said.items() if not _is_digest(one)]:
        raise InvalidEvent(
            "\n".join(
                f"containers.{name}: is {said[name]!r:.80}; write the digest of the image, such as "
                f"sha256:2c26…: a tag can be moved to another image"
                for name in wrong
            )
        )
    fields["containers"] = [{"name": name, "digest": one} for name, one in said.items()]


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.match(value) is not None


def said_in(document: Event) -> dict[str, Any]:
    """What the author of a document says; the status with which it begins is ours."""
    return {name: value for name, value in document.payload().items() if name != "begins"}


def begin_as_draft(fields: dict[str, Any]) -> None:
    """Let a pipeline begin as a draft; InvalidEvent where its document says otherwise."""
    if fields.setdefault("begins", DRAFT) != DRAFT:
        raise InvalidEvent(
            f"begins: is {fields['begins']!r:.60}; leave it out: a pipeline is active when its own "
            f"test has passed and somebody says so (`genoflow catalog activate`)"
        )


def config_id(pipeline: str, title: str) -> str:
    """The id of a configuration: of one pipeline and one name there is one."""
    return str(external_id("Configuration", pipeline, title))


def configuration_faults(
    document: ConfigurationSaved,
    everything: Sequence[Event],
    active: Mapping[str, str],
) -> Iterator[str]:
    """For what the pipeline would not take it: the version named, else active, else highest."""
    version = document.pipeline_version
    pipeline = pipeline_for(document.pipeline, version, everything, active)
    if pipeline is None:
        which = f"{document.pipeline} {document.pipeline_version or ''}".rstrip()
        yield f"pipeline: {which} is not published; publish it first, or in the same command"
        return
    if version not in (None, pipeline.version):
        yield f"pipeline_version: is {version}; write {pipeline.version}, as it is published"
    for fault in faults_in(pipeline, json.loads(document.parameters_json)):
        yield f"parameters.{fault}"


def pipeline_for(
    name: str, version: str | None, everything: Iterable[Event], active: Mapping[str, str]
) -> PipelinePublished | None:
    """This version of a pipeline, where none is named the active one, and without one the highest.

    None where there is none.
    """
    version = version or active.get(name)
    found = [
        one
        for one in everything
        if isinstance(one, PipelinePublished)
        and one.document_id == name
        and (version is None or order_of(one.version) == order_of(version))
    ]
    return max(found, key=lambda one: order_of(one.version), default=None)
