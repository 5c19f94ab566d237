"""Documents of the catalog from JSON: all of them checked, and by each other, before one is said.

    {"kind": "qc-profile", "document_id": "wgs-30x", "version": "1.0", "assays": ["wgs"], …}

A file holds one document or a list of them. What can be computed is computed: the checksums of a
profile's thresholds and of a pipeline's parameters, which are written as JSON and not as text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from genoflow.deploy.alert_rules import PARTS, rules_faults, rules_schema
from genoflow.deploy.catalog import KINDS, AnyDocument, kind_of, order_of
from genoflow.deploy.metadata_schemas import schema_faults
from genoflow.deploy.pipeline_documents import (
    begin_as_draft,
    config_id,
    configuration_faults,
    said_in,
    with_containers,
    with_machine,
)
from genoflow.deploy.repositories import address_faults
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import InvalidEvent, Refused
from genoflow.events.metadata_schema_published import MetadataSchemaPublished
from genoflow.events.metric_names import READS_UNITS, bound_faults, in_our_words
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.retention_published import RetentionPublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.threshold import Threshold
from genoflow.processors.alignments import PANEL
from genoflow.processors.intake.privacy import IdentifierFound, PrivacyGuard
from genoflow.processors.json_schema import faults_of
from genoflow.processors.qc_metrics import RUN_UNITS
from genoflow.processors.qc_profiles import RESULTS, UNITS_AT
from genoflow.processors.running import parameters
from genoflow.processors.running.parameters import canonical
from genoflow.processors.strictness import STANDARD

FAULTS_SHOWN_MAX = 30  # about one screen
STAGES: Mapping[str, Mapping[str, str] | None] = {
    "run_thresholds": RUN_UNITS,
    "reads_thresholds": READS_UNITS,
    "results_thresholds": None,  # what a pipeline measures is its own
}
PROFILE_SCHEMA = "qc_profile.v1.schema.json"
RETENTION_SCHEMA = "retention.v1.schema.json"


def digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def content_sha256(document: AnyDocument) -> str:
    """Of the whole document as canonical JSON: two versions with one content have one digest."""
    return digest(canonical(said_in(document)))


def parse_documents(
    texts: Sequence[tuple[str, str]],
    known: Sequence[AnyDocument],
    guard: PrivacyGuard,
    active: Mapping[str, str] = MappingProxyType({}),
) -> list[AnyDocument]:
    """The documents of these named texts that are new; Refused names every fault of every file.

    `active` says which version of a pipeline is, for configurations that name none.
    """
    faults: list[str] = []
    found: list[tuple[str, AnyDocument]] = []
    for name, text in texts:
        for place, plain in _plain(name, text, faults):
            try:
                document = document_of(plain)
                guard.check(document)
            except (InvalidEvent, IdentifierFound) as error:
                faults += [f"{place}: {line}" for line in str(error).splitlines()]
            else:
                found.append((place, document))
    new: list[AnyDocument] = []
    everything = [*known, *(document for _, document in found)]
    for place, document in found:
        faults += [f"{place}: {fault}" for fault in _faults(document, everything, active)]
        same, others = _published(document, [*known, *new])
        faults += [f"{place}: {fault}" for fault in others]
        if not same and not others:
            new.append(document)
    if faults:
        more = len(faults) - FAULTS_SHOWN_MAX
        shown = [*faults[:FAULTS_SHOWN_MAX], *([f"and {more:,} more"] if more > 0 else [])]
        raise Refused("\n".join([*shown, "nothing was published; mend these and try again"]))
    return new


def _plain(name: str, text: str, faults: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        faults.append(f"{name}: is no JSON ({error})")
        return
    rows = value if isinstance(value, list) else [value]
    for number, row in enumerate(rows, start=1):
        place = f"{name} document {number}" if isinstance(value, list) else name
        if isinstance(row, dict):
            yield place, row
        else:
            faults.append(f"{place}: is no JSON object")


def document_of(plain: dict[str, Any]) -> AnyDocument:
    """The document that this JSON says; InvalidEvent names what is none."""
    fields = dict(plain)
    name = fields.pop("kind", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidEvent(f"kind: {name!r} is none; it can be {', '.join(KINDS)}")
    if kind is QcProfilePublished:
        fields = _profile(plain)
    if kind is RetentionPublished:
        fields = _retention(plain)
    if kind is AlertRulesPublished:
        fields = _alert_rules(plain)
    if kind is MetadataSchemaPublished:
        _put_schema(fields)
    if kind is PipelinePublished:
        _put_objects(fields, "parameters_schema", "parameters")
        with_containers(fields)
        with_machine(fields)
        begin_as_draft(fields)
    if kind is ConfigurationSaved:
        _put_objects(fields, "parameters")
        with_machine(fields)
        fields.setdefault(
            "document_id", config_id(str(fields.get("pipeline")), str(fields.get("title")))
        )
    return kind(**fields)


def _put_objects(fields: dict[str, Any], *parts: str) -> None:
    for part in parts:
        value = fields.pop(part, {})
        if not isinstance(value, dict):
            raise InvalidEvent(f"{part}: is no JSON object")
        try:
            text = canonical(value)
        except ValueError as error:  # not a number, infinity
            raise InvalidEvent(f"{part}: holds what JSON cannot say ({error})") from error
        _put(fields, f"{part}_json", text)
        _put(fields, f"{part}_sha256", digest(text))


def _profile(plain: dict[str, Any]) -> dict[str, Any]:
    """The fields of a profile, its metrics under our names and in our units."""
    if faults := faults_of(plain, profile_schema()):
        raise InvalidEvent("\n".join(faults))
    fields = {name: value for name, value in plain.items() if name != "kind"}
    fields["reads_thresholds"] = [in_our_words(one) for one in fields["reads_thresholds"]]
    fields["assay_thresholds"] = [_part(one) for one in fields.get("assay_thresholds", ())]
    bare = QcProfilePublished(**fields | {"content_sha256": "0" * 64}).payload()
    thresholds = {stage: bare[stage] for stage in STAGES}
    if bare["assay_thresholds"]:  # absent before they could be given, and so in older digests
        thresholds["assay_thresholds"] = bare["assay_thresholds"]
    if bare["validation"] != STANDARD:  # so too
        thresholds["validation"] = bare["validation"]
    _put(fields, "content_sha256", digest(canonical(thresholds)))
    return fields


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["stage"] == RESULTS:
        return part  # a pipeline names what it measures
    return {**part, "thresholds": [in_our_words(one) for one in part["thresholds"]]}


def _put_schema(fields: dict[str, Any]) -> None:
    schema = fields.pop("schema", None)
    text = canonical(schema)
    if faults := list(schema_faults(schema, text)):
        raise InvalidEvent("\n".join(faults))
    _put(fields, "document_json", text)
    _put(fields, "content_sha256", digest(text))


def _retention(plain: dict[str, Any]) -> dict[str, Any]:
    if faults := faults_of(plain, document_schema(RETENTION_SCHEMA)):
        raise InvalidEvent("\n".join(faults))
    fields = {name: value for name, value in plain.items() if name != "kind"}
    _put(fields, "content_sha256", digest(canonical(plain["rules"])))
    return fields


def _alert_rules(plain: dict[str, Any]) -> dict[str, Any]:
    if faults := faults_of(plain, rules_schema()):
        raise InvalidEvent("\n".join(faults))
    fields = {name: value for name, value in plain.items() if name != "kind"}
    _put(fields, "content_sha256", digest(canonical({one: plain.get(one, []) for one in PARTS})))
    return fields


def profile_schema() -> dict[str, Any]:
    """The JSON Schema of profiles, as it is published with the schemas of events."""
    return document_schema(PROFILE_SCHEMA)


@cache
def document_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of this name, as it is published with the schemas of events."""
    text = files("genoflow.schemas").joinpath(name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _put(fields: dict[str, Any], name: str, computed: str) -> None:
    said = fields.setdefault(name, computed)
    if said != computed:
        raise InvalidEvent(
            f"{name}: is said to be {said!r:.80} and is {computed:.80}; leave it out"
        )


# -- what the fields alone do not say


def _faults(
    document: AnyDocument, everything: Sequence[AnyDocument], active: Mapping[str, str]
) -> Iterable[str]:
    if isinstance(document, QcProfilePublished):
        yield from _profile_faults(document)
    elif isinstance(document, ReferencePublished):
        yield from _reference_faults(document)
    elif isinstance(document, TargetSetPublished):
        yield from _target_set_faults(document, everything)
    elif isinstance(document, RetentionPublished):
        yield from _retention_faults(document)
    elif isinstance(document, AlertRulesPublished):
        yield from rules_faults(document)
    elif isinstance(document, PipelinePublished):
        schema = json.loads(document.parameters_schema_json)
        for fault in parameters.faults_of(json.loads(document.parameters_json), schema):
            yield f"parameters.{fault}"
        yield from address_faults(document.uri, document.code_revision)
    elif isinstance(document, ConfigurationSaved):
        yield from configuration_faults(document, everything, active)


def _profile_faults(profile: QcProfilePublished) -> Iterable[str]:
    if not any(getattr(profile, stage) for stage in STAGES) and not profile.assay_thresholds:
        yield "requires nothing; give it at least one threshold"
    for stage, units in STAGES.items():
        yield from _threshold_faults(stage, getattr(profile, stage), units)
    seen: set[tuple[str, str]] = set()
    for part in profile.assay_thresholds:
        place = f"assay_thresholds.{part.assay}.{part.stage}"
        if (part.assay, part.stage) in seen:
            yield f"{place}: stands twice; put its thresholds into one"
        seen.add((part.assay, part.stage))
        yield from _threshold_faults(place, part.thresholds, UNITS_AT.get(part.stage))


def _retention_faults(document: RetentionPublished) -> Iterable[str]:
    for field in ("name", "file_class"):
        values = [getattr(rule, field) for rule in document.rules]
        for value in sorted({one for one in values if values.count(one) > 1}):
            yield f"rules.{field}: {value} stands twice; one rule says what counts"


def _threshold_faults(
    place: str, thresholds: Iterable[Threshold], units: Mapping[str, str] | None
) -> Iterable[str]:
    seen: set[str] = set()
    for one in thresholds:
        named = f"{place}.{one.metric}"
        if one.metric in seen:
            yield f"{named}: stands twice; keep one of them"
        seen.add(one.metric)
        if units is not None and one.metric not in units:
            yield f"{named}: is not measured; there are {', '.join(units)}"
        elif units is not None and one.unit != units[one.metric]:
            yield f"{named}: is measured in {units[one.metric]!r}, not in {one.unit!r}"
        bounds = (one.required_min, one.warn_min, one.warn_max, one.required_max)
        yield from (f"{named}: {fault}" for fault in bound_faults(*bounds))


def _reference_faults(reference: ReferencePublished) -> Iterable[str]:
    names = [one.name for one in reference.contigs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"contigs: {', '.join(twice[:5])} stand twice; a name means one sequence"
    panels = [one.uri for one in reference.files if one.kind == PANEL]
    if len(panels) > 1:
        yield f"files: {len(panels)} are {PANEL}; foreign reads are counted over one of them"
    length = sum(one.length_bases for one in reference.contigs)
    if not 0 < reference.genome_bases <= length:
        yield (
            f"genome_bases: is {reference.genome_bases:,}, and the contigs together hold "
            f"{length:,}; give their length without gaps"
        )


def _target_set_faults(
    regions: TargetSetPublished, everything: Sequence[AnyDocument]
) -> Iterable[str]:
    build = f"{regions.reference} {regions.reference_version}"
    for one in everything:
        is_it = isinstance(one, ReferencePublished) and one.document_id == regions.reference
        if is_it and order_of(one.version) == order_of(regions.reference_version):
            break
    else:
        yield f"reference: {build} is not published; publish it first, or in the same command"
        return
    assert isinstance(one, ReferencePublished)
    if not 0 < regions.target_bases <= one.genome_bases:
        yield (
            f"target_bases: is {regions.target_bases:,}, and {build} has {one.genome_bases:,}; "
            f"count the bases of the regions once"
        )


def _published(document: AnyDocument, before: Sequence[AnyDocument]) -> tuple[bool, list[str]]:
    """Whether this very version is published, and what contradicts it."""
    mine = kind_of(document)
    for one in before:
        if one.document_id != document.document_id:
            continue
        if kind_of(one) != mine:
            return False, [f"document_id: {one.document_id} is a {kind_of(one)}; choose another"]
        if order_of(one.version) == order_of(document.version):
            if said_in(one) == said_in(document):
                return True, []
            return False, [
                f"version: {one.document_id} {one.version} is published with another content "
                f"(sha256 {content_sha256(one)[:12]}, this one {content_sha256(document)[:12]}); "
                f"a version never changes, so give it a new one"
            ]
    return False, []
