"""Rows of the catalog: which version is in force, and what an assay is given by default."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from genoflow.deploy.catalog import KINDS, LogCatalog
from genoflow.deploy.catalog import order_of as order_of_numbers
from genoflow.events.event import Event
from genoflow.projections import catalog
from genoflow.projections.document_states import LIFE, STATUSES, order_of
from tests import qc_facts
from tests.integration.rows import Rows, all_pages, are_equal_in_pieces, rows_of, uses_of
from tests.run_facts import pipeline
from tests.spec import heard
from tests.unit.test_pipeline_life import active, failed, gone, passed

VERSIONS = ("1", "1.9", "1.10", "2", "2.0", "10", "2.0.1", "1.0")


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, catalog.Catalog()) as opened:
        yield opened


async def states(rows: Rows) -> dict[str, str]:
    found = await catalog.list_documents(rows.connection)
    return {f"{one['document_id']} {one['version']}": one["state"] for one in found}


def test_the_flow_says_what_is_used() -> None:
    assert uses_of(catalog.Catalog()) == {*catalog.KINDS, *LIFE}
    assert {word: kind for kind, word in catalog.KINDS.items()} == KINDS


def test_versions_compare_as_the_log_compares_them() -> None:
    for first in VERSIONS:
        for second in VERSIONS:
            assert (order_of(first) < order_of(second)) == (
                order_of_numbers(first) < order_of_numbers(second)
            )


async def test_the_highest_version_is_in_force(rows: Rows) -> None:
    then = await rows.tell(pipeline("1.9"), qc_facts.profile(), qc_facts.target_set())
    await rows.tell(pipeline("1.10", title="Newer"), pipeline("1.0"))
    assert await states(rows) == {
        "exome 1": "in force", "germline 1.0": "earlier", "germline 1.9": "earlier",
        "germline 1.10": "in force", "wgs-30x 1": "in force",
    }  # fmt: skip
    ask: Any = {"connection": rows.connection, "document_id": "germline"}
    newest = await catalog.document_of(**ask)
    assert newest is not None
    assert (newest["version"], newest["title"], newest["kind"]) == ("1.10", "Newer", "pipeline")
    before = await catalog.document_of(**ask, at=then)
    assert before is not None
    assert (before["version"], before["state"]) == ("1.9", "in force")
    exact = await catalog.document_of(**ask, version="1.9.0")
    assert exact is not None
    assert (exact["version"], exact["state"]) == ("1.9", "earlier")
    content = await catalog.content_of(**ask, version="1.9")
    assert content == pipeline("1.9").payload()
    assert await catalog.content_of(**ask, version="7") is None
    [targets] = await catalog.list_documents(rows.connection, kind="target-set")
    assert targets["reference"] == "GRCh38"
    assert await catalog.count_documents(rows.connection, kind="pipeline") == {
        "earlier": 2, "in force": 1,
    }  # fmt: skip
    assert not await rows.set_aside()


@pytest.mark.parametrize("seed", range(4))
async def test_the_rows_find_what_the_log_finds(rows: Rows, seed: int) -> None:
    chance = random.Random(f"catalog {seed}")
    events: list[Event] = [
        heard(
            chance.choice((
                pipeline(
                    version, document_id=name, assays=assays,
                    materials=chance.choice((("FASTQ",), ("BAM", "CRAM"))),
                ),
                qc_facts.profile(version, document_id=f"q-{name}", assays=assays),
            ))
        )
        for version in VERSIONS
        for name in ("one", "two")
        for assays in [chance.choice((("wgs",), ("wgs", "panel"), ("panel",)))]
    ]  # fmt: skip
    for version in VERSIONS:
        for name in ("one", "two", "drafts"):
            drafts = pipeline(version, document_id=f"d-{name}", begins="draft")
            life = (passed(version), failed(version), active(version), gone(version))
            told = [drafts, *chance.sample(life, 3)]
            events += [heard(one.model_copy(update={"document_id": f"d-{name}"})) for one in told]
    chance.shuffle(events)
    # Some of a version in their order, too: shuffled, few would be activated.
    events += [
        heard(one.model_copy(update={"document_id": "in-order"}))
        for version in ("1", "3", "2")
        for one in (pipeline(version, begins="draft"), passed(version), active(version))
    ]
    await are_equal_in_pieces(rows, events, seed)
    log = LogCatalog(rows.log)
    for assay in ("wgs", "panel", "rna"):
        for material in ("FASTQ", "BAM", None):
            for kind in ("pipeline", "qc-profile"):
                wanted: Any = await log.default_for(KINDS[kind], assay, material)
                found = await catalog.default_for(rows.connection, kind, assay, material)
                assert (found and (found["document_id"], found["version"])) == (
                    wanted and (wanted.document_id, wanted.version)
                )
    assert {**await log.active()}["in-order"] == "3"
    for document in await log.documents():
        row = await catalog.document_of(
            rows.connection, document.document_id, version=document.version
        )
        standing = await log.standing(document.document_id)
        if row is not None and row["version"] in standing:
            assert STATUSES[row["state"]] == standing[row["version"]]
        highest: Any = await log.find(type(document), document.document_id)
        row = await catalog.document_of(rows.connection, document.document_id)
        assert (row is None) == (highest is None)
        if row is None:
            continue
        assert order_of(row["version"]) == order_of(highest.version)


async def test_pages_and_filters(rows: Rows) -> None:
    await rows.tell(*[pipeline(version) for version in VERSIONS], qc_facts.profile())
    seen = await all_pages(catalog.list_documents, rows.connection, catalog.ORDER, 2)
    assert [one["version"] for one in seen[:-1]] == [
        "1", "1.0", "1.9", "1.10", "2", "2.0", "2.0.1", "10",
    ]  # fmt: skip
    ask: Any = {"connection": rows.connection}
    [first] = await catalog.list_documents(**ask, state="in force", material="FASTQ", assay="wgs")
    assert first["version"] == "10"
    assert len(await catalog.list_documents(**ask, document_id="wgs-30x", kind="qc-profile")) == 1
    assert await catalog.list_documents(**ask, assay="rna") == []
