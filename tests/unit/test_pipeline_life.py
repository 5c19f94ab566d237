"""A pipeline from its draft on: tested, activated, deprecated; and what runs take of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.catalog import LogCatalog
from genoflow.deploy.catalog_documents import content_sha256, parse_documents
from genoflow.deploy.pipeline_life import activated, deprecated, evidence, version_of, with_release
from genoflow.deploy.pipeline_trial import Trial, _run, fact_of
from genoflow.deploy.pipelines import PIPELINES, germline_document, pipeline_document
from genoflow.events import topics
from genoflow.events.errors import Contradicted, NotThere, Parked
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.pipeline_activated import PipelineActivated
from genoflow.events.pipeline_deprecated import PipelineDeprecated
from genoflow.events.pipeline_not_validated import PipelineNotValidated
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.processors.ports import Attempt, Deployment, Ports
from genoflow.processors.request_run import Wanted, resolve
from genoflow.processors.running.engine import Engine, NotDone, Plan
from genoflow.processors.running.manifest import Fault, Tasks
from tests import qc_facts
from tests.fakes import FakeClock
from tests.partition import CODEC
from tests.run_facts import RUN_ID, pipeline, ready
from tests.spec import heard
from tests.unit.test_catalog import GUARD, PIPELINE, parsed, refused
from tools.pipeline_tests import stale

AT = datetime(2026, 3, 1, tzinfo=UTC)


def draft(version: str = "1", **fields: Any) -> PipelinePublished:
    """A version that nobody has tested."""
    return pipeline(version, begins="draft", **fields)


def passed(version: str = "1") -> PipelineValidated:
    """Its test passed."""
    return PipelineValidated(
        document_id="germline", version=version, code_sha256="1" * 64, profile="test",
        engine="nextflow", engine_version="24.10.0", evidence="run", tested_at=AT,
        duration_seconds=10.0, outputs=("bam", "vcf"),
    )  # fmt: skip


def failed(version: str = "1") -> PipelineNotValidated:
    """Its test did not pass."""
    return PipelineNotValidated(
        document_id="germline", version=version, code_sha256="1" * 64, profile="test",
        engine="nextflow", engine_version="24.10.0", tested_at=AT, duration_seconds=10.0,
        reason="it left no vcf",
    )  # fmt: skip


def active(version: str = "1") -> PipelineActivated:
    """It takes runs."""
    return PipelineActivated(document_id="germline", version=version, tested_at=AT)


def gone(version: str = "1") -> PipelineDeprecated:
    """It takes none any more."""
    return PipelineDeprecated(document_id="germline", version=version, reason="wrong at indels")


async def catalog_of(*events: Event) -> LogCatalog:
    """The catalog of a log with these."""
    log = MemoryLog([topics.CATALOG], partitions=2, codec=CODEC)
    for event in events:
        await log.append(heard(event))
    return LogCatalog(log)


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        ((pipeline(),), {"1": "active"}),  # of edition 1.0
        ((pipeline("1"), pipeline("2")), {"1": "deprecated", "2": "active"}),
        ((draft(),), {"1": "draft"}),
        ((draft(), active()), {"1": "draft"}),
        ((draft(), failed()), {"1": "draft"}),
        ((draft(), passed()), {"1": "validated"}),
        ((draft(), passed(), failed()), {"1": "draft"}),
        ((draft(), passed(), active()), {"1": "active"}),
        ((draft(), passed(), active(), failed()), {"1": "active"}),
        ((draft(), passed(), active(), gone(), passed(), active()), {"1": "deprecated"}),
        ((pipeline(), draft("2"), passed("2")), {"1": "active", "2": "validated"}),
        (
            (pipeline(), draft("2"), passed("2"), active("2")),
            {"1": "deprecated", "2": "active"},
        ),
        (
            (pipeline(), draft("2"), passed("2"), active("2"), gone("2")),
            {"1": "deprecated", "2": "deprecated"},
        ),
        ((passed(), active(), gone()), {}),
        ((draft(), active(), passed(), active()), {"1": "validated"}),  # the same fact again
    ],
)  # fmt: skip
async def test_a_version_stands_as_the_log_says(
    events: tuple[Event, ...], standing: dict[str, str]
) -> None:
    catalog = await catalog_of(*events)
    assert await catalog.standing("germline") == standing
    chosen = next((one for one, status in standing.items() if status == "active"), None)
    assert await catalog.active() == ({"germline": chosen} if chosen else {})
    found = await catalog.find(PipelinePublished, "germline")
    default = await catalog.default_for(PipelinePublished, "wgs")
    assert (found and found.version, default and default.version) == (chosen, chosen)


async def test_a_run_takes_what_is_active_and_says_why_it_takes_nothing_else() -> None:
    documents = (qc_facts.reference(), qc_facts.profile())

    async def resolved(*events: Event, **fields: Any) -> Event:
        catalog = await catalog_of(*documents, *events)
        ports = Ports(clock=FakeClock(), catalog=catalog, deployment=Deployment())
        attempt = Attempt(RUN_ID, 1, ports, lambda *_: None)
        [asked] = await resolve(Wanted(ready=ready(**fields), run_id=RUN_ID), attempt)
        return asked

    asked = await resolved(pipeline(), draft("2"), passed("2"))
    assert asked.pipeline_version == "1"  # type: ignore[attr-defined]
    asked = await resolved(pipeline(), draft("2"), passed("2"), active("2"))
    assert asked.pipeline_version == "2"  # type: ignore[attr-defined]
    with pytest.raises(Parked, match="no pipeline is published for its assay 'wgs', or none is"):
        await resolved(draft())
    for events, words in (
        ((draft(),), "(1 is draft)"),
        ((draft(), passed()), "(1 is validated)"),
        ((pipeline("1"), pipeline("2"), gone("2")), "(1 is deprecated, 2 is deprecated)"),
    ):
        with pytest.raises(Parked) as caught:
            await resolved(*events, pipeline="germline")
        assert f"no version of it is active {words}; `genoflow catalog test" in str(caught.value)


async def test_only_what_passed_is_activated_and_only_once() -> None:
    for events, words in (
        ((draft(),), "its own test has not passed; `genoflow catalog test germline 1`"),
        ((draft(), passed(), active(), gone()), "is deprecated, and stays so"),
        ((draft(), passed(), pipeline("2")), "the higher version 2 is active"),
    ):
        with pytest.raises(Contradicted) as caught:
            await activated(await catalog_of(*events), "germline", "1")
        assert words in str(caught.value)
    assert await activated(await catalog_of(draft(), passed()), "germline", None) == (
        "1", active(),
    )  # fmt: skip
    assert await activated(await catalog_of(pipeline()), "germline", "1.0") == ("1", None)
    # Told before its time it changes nothing; after another test it is another fact.
    again = passed().model_copy(update={"tested_at": AT + timedelta(days=1)})
    catalog = await catalog_of(draft(), active(), again)
    _, fact = await activated(catalog, "germline", None)
    assert fact is not None
    assert fact.external_id() != active().external_id()


async def test_what_is_deprecated_is_there_and_so_is_what_replaces_it() -> None:
    catalog = await catalog_of(pipeline(), pipeline("1", document_id="other"))
    version, fact = await deprecated(catalog, "germline", "1", "wrong at indels", "other")
    assert fact is not None
    assert (version, fact.replaced_by) == ("1", "other")
    assert await deprecated(await catalog_of(pipeline(), gone()), "germline", "1", "x", None) == (
        "1", None,
    )  # fmt: skip
    with pytest.raises(NotThere, match="pipeline none: is not published, so it replaces nothing"):
        await deprecated(catalog, "germline", "1", "why", "none")
    with pytest.raises(NotThere, match="pipeline none: is not published"):
        await version_of(catalog, "none", None)
    with pytest.raises(NotThere, match="has no version 3; there are 1"):
        await version_of(catalog, "germline", "3")


# -- what comes with the package


def test_each_pipeline_of_the_package_was_tested_as_it_is() -> None:
    assert stale() == [], "run `python -m tools.pipeline_tests`, and commit what it writes"
    assert evidence().keys() == PIPELINES.keys()


@pytest.mark.parametrize("name", PIPELINES)
def test_it_is_active_as_soon_as_it_is_published(name: str) -> None:
    [document] = parsed(pipeline_document(name))
    assert document.begins == "draft"
    published, validated, active_now = with_release([document])
    assert published is document
    assert isinstance(document, PipelinePublished)
    assert isinstance(validated, PipelineValidated)
    assert (validated.evidence, validated.code_sha256) == ("release", document.code_sha256)
    assert active_now == PipelineActivated(
        document_id=name, version="1", tested_at=validated.tested_at
    )


def test_other_code_and_other_outputs_were_not_tested() -> None:
    shipped = pipeline_document("vcf")
    owes_more = [*shipped["expected_outputs"], {"kind": "x", "per": "case", "content_type": "a/b"}]
    for change in (
        {"code_sha256": "0" * 64}, {"expected_outputs": owes_more}, {"uri": "file:///vcf"},
    ):  # fmt: skip
        [document] = parsed({**shipped, **change})
        assert with_release([document]) == [document]
    [variants] = parsed(germline_document(material="VCF"))
    assert len(with_release([variants])) == 3


# -- documents


def test_a_pipeline_says_machines_with_units_and_images_by_digest() -> None:
    digest = f"sha256:{'a' * 64}"
    [said] = parsed(
        PIPELINE
        | {
            "containers": {"samtools": digest}, "estimated_duration_seconds": 9_000,
            "resource_requirements": {"cpu": 16, "memory": "64GB", "disk": "1TiB"},
        }
    )  # fmt: skip
    assert [(one.name, one.digest) for one in said.containers] == [("samtools", digest)]
    assert said.resource_requirements.model_dump() == {
        "cpus": 16, "memory_bytes": 64 * 10**9, "disk_bytes": 2**40,
    }  # fmt: skip
    assert said.begins == "draft"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"containers": {"a": "x:1.2"}}, "containers.a: is 'x:1.2'; write the digest"),
        ({"containers": {"a": f"sha256:{'A' * 64}"}}, "write the digest of the image"),
        ({"containers": {"a": 1}}, "containers.a: is 1; write the digest"),
        ({"resource_requirements": {"memory": "64"}}, "memory: is '64'; write a number with its"),
        ({"resource_requirements": {"memory": 64}}, "memory: is 64; write a number with its unit"),
        ({"resource_requirements": {"gpu": 1}}, "write cpu, memory and disk"),
        ({"resource_requirements": "much"}, "write cpu, memory and disk"),
        ({"resource_requirements": {"cpu": -1}}, "resource_requirements.cpus"),
        ({"begins": "active"}, "begins: is 'active'; leave it out: a pipeline is active when"),
        ({"parameters": {"a": float("nan")}}, "parameters: holds what JSON cannot say"),
        ({"uri": "git+https://x/y@main"}, "names the revision 'main', which can become another"),
        ({"uri": "git+ftp://x"}, "is no address of a repository"),
        ({"uri": f"git+https://x/y@{'a' * 40}"}, "code_revision: is None, and uri names aaaa"),
    ],
)
def test_what_a_pipeline_cannot_say_is_refused(change: dict[str, Any], words: str) -> None:
    assert words in "\n".join(refused(PIPELINE | change))


def test_a_version_of_edition_1_0_is_the_same_one() -> None:
    [new] = parsed(PIPELINE)
    old = PipelinePublished(**dict(new) | {"begins": "active"})
    assert content_sha256(old) == content_sha256(new)
    assert parse_documents([("x", json.dumps(PIPELINE))], [old], GUARD) == []


# -- its own test


class Left(Engine):
    """An engine that leaves these files, or fails."""

    name, version = "nextflow", "1"

    def __init__(self, *files: str, fault: Fault | None = None) -> None:
        self.files, self.fault = files, fault
        self.plan: Plan | None = None

    def run(self, plan: Plan, /) -> Tasks:
        self.plan = plan
        for name in self.files:
            path = Path(str(plan.parameters["outdir"])) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("" if "empty" in name else "x")
        if self.fault is not None:
            raise NotDone(self.fault)
        return Tasks()


KINDS = [("bam", "sample"), ("vcf", "case")]


def ran(folder: Path, engine: Left) -> Trial:
    """How a test with this engine ends."""
    return _run(engine, folder, folder, KINDS, "test-1")


def test_a_test_passes_when_everything_that_is_owed_is_there(tmp_path: Path) -> None:
    engine = Left("bam/S1/a.bam", "bam/S2/a.bam", "vcf/_case/a.vcf")
    trial = ran(tmp_path, engine)
    assert (trial.fault, trial.outputs) == ("", ("bam", "vcf"))
    assert engine.plan is not None
    assert engine.plan.profile == "test"
    fact = fact_of(draft(), trial)
    assert isinstance(fact, PipelineValidated)
    assert (fact.evidence, fact.engine_version, fact.outputs) == ("run", "1", ("bam", "vcf"))


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (Left(), "ended with exit code 0 and left no bam, vcf at"),
        (Left("bam/S1/a.bam"), "left no vcf at"),
        (Left("bam/S1/a.bam", "vcf/_case/empty"), "left no vcf at"),
        (Left("bam/S1/a.bam", "vcf/S1/a.vcf"), "left no vcf at"),
        (Left("bam/S1/a.bam", "bam/S2/empty", "vcf/_case/a.vcf"), "left no bam at"),
        (Left("bam/S1/a", "bam/S1/b", "vcf/_case/a.vcf"), "left no bam at"),
        (
            Left(fault=Fault(reason_code="exit code", reason="ALIGN failed; and more")),
            "ALIGN failed; read what it wrote, mend the pipeline",
        ),
    ],
)
def test_a_test_that_leaves_less_does_not_pass(tmp_path: Path, engine: Left, words: str) -> None:
    trial = ran(tmp_path, engine)
    assert words in trial.fault
    fact = fact_of(draft(), trial)
    assert isinstance(fact, PipelineNotValidated)
    assert fact.reason == trial.fault
