"""A LIMS behind a REST interface: orders come out of it, facts go in; on a real local server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.lims import open_lims, pull, read_token
from genoflow.deploy.settings import Settings
from genoflow.events import topics
from genoflow.events.errors import Parked, Refused, Retry
from genoflow.events.log.memory import MemoryLog
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.processors.adapters.rest_lims import RestLims
from genoflow.processors.lims_mapping import LimsMapping, mapped, read_mapping
from genoflow.processors.ports import Lims, LimsSaidNo, Report
from genoflow.projections.sample_metadata import values_in
from tests.lims_server import TOKEN, LimsServer, lims_server
from tests.partition import CODEC, MOMENT

MAPPING: dict[str, Any] = {
    "orders": {
        "path": "/orders?state=released", "items": "data.rows", "next": "next",
        "fields": {
            "case_id": "number", "kind": {"path": "type", "values": {"S": "single"}},
            "assay": {"path": "test", "values": {"WGS": "wgs"}},
            "reference": {"path": "build", "default": "GRCh38"},
        },
        "members": {
            "items": "samples",
            "fields": {
                "sample_id": "barcode", "subject_ref": "patient.pseudonym",
                "role": {"path": "role", "default": "single"},
            },
        },
    },
    "results": {
        "path": "/facts/{event_id}", "lookup": "/facts/{event_id}",
        "fields": {"barcode": "sample_id", "what": "type", "first": "measured.0.metric"},
    },
}  # fmt: skip
REPORT = Report(
    UUID(int=7), "QcFailed", "S1", MOMENT,
    json.dumps({"sample_id": "S1", "measured": [{"metric": "mean_coverage"}]}),
)  # fmt: skip


def row(number: str, sample: str = "S1", **changes: Any) -> dict[str, Any]:
    """An order as the system calls it."""
    member = {"barcode": sample, "patient": {"pseudonym": f"P-{sample}"}}
    return {"number": number, "type": "S", "test": "WGS", "samples": [member]} | changes


def page(*rows: Any, behind: str | None = None) -> dict[str, Any]:
    return {"data": {"rows": list(rows)}, "next": behind}


def lims_of(server: LimsServer, token: str = TOKEN, **changes: Any) -> RestLims:
    mapping = LimsMapping.model_validate(MAPPING | changes)
    return RestLims(server.url, mapping, lambda: token, seconds_max=5.0)


def a_log() -> MemoryLog:
    return MemoryLog([topics.CASE, topics.SAMPLE], partitions=2, codec=CODEC)


async def pulled(log: MemoryLog, lims: Lims, *, dry_run: bool = False) -> list[Any]:
    found = await pull(log, lims, (r"MRN\d+",), datetime(2026, 3, 1, tzinfo=UTC), dry_run=dry_run)
    return [(one.case_id, one.outcome) for one in found]


async def opened(log: MemoryLog) -> Sequence[Any]:
    return [record.event async for record in log.read_topic(topics.CASE.name)]


async def test_orders_of_every_page_are_cases_and_pulling_again_changes_nothing() -> None:
    log = a_log()
    pages = (page(row("C1"), row("C2", "S2"), behind="/orders?page=2"), page(row("C3", "S3")))
    with lims_server(*pages) as server:
        lims = lims_of(server)
        assert await pulled(log, lims, dry_run=True) == [
            ("C1", "opened"), ("C2", "opened"), ("C3", "opened"),
        ]  # fmt: skip
        assert await opened(log) == []
        await pulled(log, lims)
        facts = sorted(await opened(log), key=lambda one: one.case_id)
        assert [one.case_id for one in facts] == ["C1", "C2", "C3"]
        first = facts[0]
        assert (first.assay, first.reference, first.source) == ("wgs", "GRCh38", "lims")
        assert [(m.sample_id, m.role, m.subject_ref) for m in first.members] == [
            ("S1", "single", "P-S1")
        ]
        assert (first.envelope.actor.kind, first.envelope.actor.id) == ("service", "lims")
        assert {outcome for _, outcome in await pulled(log, lims)} == {"stands already"}
        assert len(await opened(log)) == 3


async def test_an_order_that_is_wrong_keeps_no_other_back() -> None:
    log = a_log()
    rows = (row("C1", type="T"), row("MRN12345"), row("C2", "S2"), "word", row("C3", samples=None))
    with lims_server(page(*rows)) as server:
        found = await pull(log, lims_of(server), (r"MRN\d+",), MOMENT, dry_run=False)
    assert sorted((one.case_id, one.outcome) for one in found) == [
        ("?", "refused"), ("?", "refused"), ("C1", "refused"), ("C2", "opened"),
        ("C3", "refused"),
    ]  # fmt: skip
    assert "kind" in "".join(found[0].reasons)
    assert "MRN12345" not in str(found)
    assert [one.case_id for one in await opened(log)] == ["C2"]


async def test_metadata_of_samples_come_with_their_orders_as_the_mapping_names_them() -> None:
    log = MemoryLog(topics.TOPICS, partitions=2, codec=CODEC)
    members = MAPPING["orders"]["members"] | {"metadata": {"tissue": "material.name", "age": "age"}}
    mapping = {"orders": MAPPING["orders"] | {"members": members}}
    first = row("C1")
    first["samples"][0] |= {"material": {"name": "blood", "by": "MRN12345"}, "age": 41}
    wrong = row("C2", "S2")
    wrong["samples"][0] |= {"material": {"name": "MRN12345"}}
    with lims_server(page(first, wrong, row("C3", "S3"))) as server:
        found = await pull(log, lims_of(server, **mapping), (r"MRN\d+",), MOMENT, dry_run=False)
        again = await pulled(log, lims_of(server, **mapping))
    assert [(one.case_id, one.outcome) for one in found] == [
        ("C1", "opened"), ("C2", "refused"), ("C3", "opened"),
    ]  # fmt: skip
    assert [outcome for _, outcome in again] == ["stands already", "refused", "stands already"]
    [reason] = [one for one in found[1].reasons if "metadata" in one]
    assert "members.0.metadata.tissue: holds what pattern 1" in reason
    facts = [
        one.event async for one in log.read_topic(topics.SAMPLE.name)
        if isinstance(one.event, SampleMetadataAmended)
    ]  # fmt: skip
    assert [(one.sample_id, values_in(one)) for one in facts] == [
        ("S1", {"tissue": "blood", "age": 41})
    ]


async def test_a_changed_order_is_refused_and_the_first_stands() -> None:
    log = a_log()
    with lims_server(page(row("C1"))) as server:
        await pulled(log, lims_of(server))
        server.pages = [page(row("C1", test="wes"))]
        assert await pulled(log, lims_of(server)) == [("C1", "refused")]
    assert [one.assay for one in await opened(log)] == ["wgs"]


async def test_a_case_that_is_offered_twice_is_held_to_the_first() -> None:
    log = a_log()
    rows = (row("C1"), row("C2", "S2"), row("C1", test="wes"), row("C2", "S2"))
    with lims_server(page(*rows)) as server:
        assert await pulled(log, lims_of(server)) == [
            ("C1", "opened"), ("C2", "opened"), ("C1", "refused"), ("C2", "stands already"),
        ]  # fmt: skip
    assert len(await opened(log)) == 2


async def test_a_fact_is_put_under_its_id_and_found_there_again() -> None:
    with lims_server() as server:
        lims = lims_of(server)
        assert not await lims.knows(REPORT)
        assert await lims.take(REPORT)
        path = f"/facts/{REPORT.event_id}"
        assert server.kept == {
            path: {"barcode": "S1", "what": "QcFailed", "first": "mean_coverage"}
        }
        method, _, headers, _ = server.sent[-1]
        assert (method, headers["idempotency-key"]) == ("PUT", str(REPORT.event_id))
        assert await lims.knows(REPORT)


async def test_what_is_not_wanted_is_not_sent() -> None:
    later = {"since": "2030-01-01T00:00:00Z"}
    with lims_server() as server:
        for results in (None, MAPPING["results"] | later):
            lims = lims_of(server, results=results)
            assert not await lims.knows(REPORT)
            assert not await lims.take(REPORT)
        assert server.sent == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((422, {"error": "no such barcode"}), LimsSaidNo, r"answered 422 \(.*no such barcode"),
        ((302, b""), LimsSaidNo, "answered 302"),
        ((503, b""), Retry, "answered 503; it is asked again"),
        ((429, b""), Retry, "answered 429"),
        ((401, b""), Parked, "put a token that may into the file"),
    ],
)
async def test_an_answer_is_a_no_or_a_reason_to_ask_again(
    answer: tuple[int, Any], error: type[Exception], words: str
) -> None:
    with lims_server() as server:
        server.answers = [answer]
        with pytest.raises(error, match=words):
            await lims_of(server).take(REPORT)


async def test_no_server_is_a_reason_to_ask_again() -> None:
    with lims_server() as server:
        lims = lims_of(server)
    with pytest.raises(Retry, match="gave no answer"):
        await lims.knows(REPORT)


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([{"data": 1}], "holds no list at 'data.rows'"),
        ([b"<html>"], "is no JSON"),
        ([page(behind="https://elsewhere.example/orders")], "is on another server"),
        ([page(behind="/orders?page=1")], "has more than 100 pages"),
    ],
)
async def test_an_answer_that_cannot_be_orders_says_why(pages: list[Any], words: str) -> None:
    with lims_server(*pages) as server, pytest.raises(Refused, match=words):
        await lims_of(server).orders()


def test_a_token_goes_over_no_open_line() -> None:
    with pytest.raises(Refused, match="is no https:// address"):
        RestLims("http://lims.example", LimsMapping())
    RestLims("https://lims.example", LimsMapping())


def test_a_token_is_one_word_that_nobody_else_reads(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(Parked, match="cannot be read"):
        read_token(path)
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o644)
    with pytest.raises(Parked, match="chmod 600"):
        read_token(path)
    path.chmod(0o600)
    assert read_token(path) == TOKEN
    path.write_text("two words")
    with pytest.raises(Parked, match="holds no token"):
        read_token(path)


async def test_the_settings_name_the_system_its_token_and_its_mapping(tmp_path: Path) -> None:
    assert open_lims(Settings()) is None
    token, mapping = tmp_path / "token", tmp_path / "mapping.json"
    token.write_text(TOKEN)
    token.chmod(0o600)
    mapping.write_text(json.dumps(MAPPING))
    with lims_server(page(row("C1"))) as server:
        with pytest.raises(Refused, match="GENOFLOW_LIMS_MAPPING: is not set"):
            open_lims(Settings(lims=server.url))
        lims = open_lims(Settings(lims=server.url, lims_token_file=token, lims_mapping=mapping))
        assert lims is not None
        assert await pulled(a_log(), lims) == [("C1", "opened")]


def test_a_mapping_that_is_wrong_is_refused_with_every_place() -> None:
    with pytest.raises(Refused) as caught:
        read_mapping('{"orders": {"path": "https://else/"}, "result": {}}', "m.json")
    text = str(caught.value)
    for place in ("m.json.orders.path", "m.json.orders.fields", "m.json.result"):
        assert place in text


def test_what_is_not_there_is_left_out_and_words_are_put_in_place_of_theirs() -> None:
    rules = LimsMapping.model_validate(MAPPING)
    assert rules.orders is not None
    assert mapped({"type": "X"}, rules.orders.fields) == {"kind": "X", "reference": "GRCh38"}
    assert mapped([{"a": 1}], {"x": "0.a", "y": "1.a", "z": "a"}) == {"x": 1}
