"""`genoflow events` and `genoflow topics` through the console script, errors included."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import every_topic, open_log
from genoflow.events import topics
from genoflow.events.log.recorded import Raw
from tests.e2e.workers import COMMAND_SECONDS_MAX, GENOFLOW, PARTITIONS, fails, genoflow, succeeds
from tests.servers import cli_environment

SAMPLE = topics.SAMPLE.name


def deployment(stack: Addresses, home: Path, prefix: str) -> Settings:
    """A deployment with its topics, and nothing on them."""
    found = Settings(home=home, kafka=stack.kafka, partitions=PARTITIONS, topic_prefix=prefix)
    succeeds(found, "topics", "apply")
    return found


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, with its topics."""
    return deployment(stack, tmp_path / "home", f"t{suffix}.")


@pytest.fixture(scope="module")
def empty(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A deployment of this file, to which nothing is ever appended."""
    return deployment(stack, tmp_path_factory.mktemp("home"), f"empty{secrets.token_hex(4)}.")


def line(sample: str, number: int, **changes: Any) -> str:
    """One event as a line for `append`."""
    at = f"2026-03-01T10:00:{number:02d}Z"
    payload = {
        "bucket": "raw", "object_key": f"{sample}/{number}", "version_id": "1",
        "size_bytes": number, "etag": "e", "last_modified_at": at, "sample_id": sample,
        "role": "R1",
    }  # fmt: skip
    event = {
        "type": "FileLanded", "occurred_at": at, "actor": {"kind": "person", "id": "a.b"},
        "payload": payload | changes.pop("payload", {}),
    }  # fmt: skip
    return json.dumps(event | changes) + "\n"


def append(settings: Settings, *lines: str) -> list[list[str]]:
    out = succeeds(settings, "events", "append", "-", said="".join(lines))
    return [row.split() for row in out.splitlines()]


def tailed(settings: Settings, *words: str) -> list[dict[str, Any]]:
    out = succeeds(settings, "events", "tail", "--no-follow", "--json", *words)
    return [json.loads(row) for row in out.splitlines()]


def put_raw(settings: Settings, *raws: Raw) -> None:
    async def run() -> None:
        async with open_log(settings) as log:
            await log.append_raw(SAMPLE, 0, raws)

    asyncio.run(run())


# -- append


def test_appended_events_are_told_with_their_positions_and_read_back(settings: Settings) -> None:
    rows = append(settings, line("S1", 1), "\n", line("S1", 2, correlation_id=str(ID)))
    assert [row[1:3] for row in rows] == [["FileLanded", "S1"]] * 2
    one, two = tailed(settings)
    assert [f"{SAMPLE}[{r['position']['partition']}]@{r['position']['offset']}" for r in (one, two)
            ] == [row[0] for row in rows]  # fmt: skip
    assert [found["envelope"]["event_id"] for found in (one, two)] == [row[3] for row in rows]
    assert two["envelope"]["correlation_id"] == str(ID)
    assert one["payload"]["object_key"] == "S1/1"
    assert (one["envelope"]["producer"]["service"], one["subject"]) == ("genoflow-cli", "S1")


ID = "7b6ab2de-3f5c-5b1c-8f1a-1d4f3b0c9d11"


def test_a_file_that_is_appended_twice_has_the_same_ids(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(line("S1", 1) + line("S2", 2))
    first = succeeds(settings, "events", "append", str(path)).split()
    second = succeeds(settings, "events", "append", str(path)).split()
    assert (first[3], first[7]) == (second[3], second[7])


def test_a_dry_run_checks_and_appends_nothing(settings: Settings) -> None:
    out = succeeds(settings, "events", "append", "--dry-run", "-", said=line("S1", 1))
    assert out == "1 events are valid; nothing was appended\n"
    assert tailed(settings) == []


@pytest.mark.parametrize(
    ("bad", "fact"),
    [
        ("{", "is no JSON"),
        ("[]", "event.the whole: "),
        (line("S1", 1, type="NoSuch"), "event.type: 'NoSuch' is no event"),
        (line("S1", 1, occurred_at="2026-03-01T10:00:00"), "event.occurred_at: has no time zone"),
        (line("S1", 1, actor={"kind": "cat", "id": "x"}), "event.actor.kind: can be one of"),
        (line("S1", 1, colour="red"), "event.colour: "),
        (line("S1", 1, payload={"size_bytes": -1}), "FileLanded.size_bytes: "),
        (line("S1", 1, payload={"colour": "red"}), "FileLanded.colour: "),
        (line("MRN-1234567", 1), "FileLanded.object_key: holds what pattern 1"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_appended(empty: Settings, bad: str, fact: str) -> None:
    said = fails(empty, "events", "append", "-", said=line("S1", 1) + bad.rstrip("\n") + "\n")
    assert f"line 2: {fact}" in said
    assert "nothing was appended" in said
    assert tailed(empty) == []


def test_every_bad_line_is_named_up_to_a_screenful(settings: Settings) -> None:
    said = fails(settings, "events", "append", "-", said="{\n" * 30)
    assert "line 1: is no JSON" in said
    assert "line 20: is no JSON" in said
    assert "line 21:" not in said
    assert "and 10 more" in said


# -- tail


def test_tail_chooses_and_orders(settings: Settings) -> None:
    append(settings, *(line(f"S{n % 3}", n) for n in range(1, 16)))
    shown = tailed(settings)
    every = tailed(settings, "--last", "100")
    assert shown == every[-10:]
    assert len(every) == 15
    # What two partitions took in the same millisecond has no order but that of their names.
    times = [found["recorded_at"] for found in every]
    assert times == sorted(times)
    for subject in ("S0", "S1", "S2"):
        sizes = [f["payload"]["size_bytes"] for f in every if f["subject"] == subject]
        assert sizes == sorted(sizes)
    of_s1 = tailed(settings, "--subject", "S1", "--last", "2")
    assert [found["payload"]["size_bytes"] for found in of_s1] == [10, 13]
    assert len(tailed(settings, "--since", "1h")) == 15
    assert tailed(settings, "--since", "2099-01-01T00:00:00Z") == []
    assert len(tailed(settings, "--until", "2099-01-01T00:00:00Z", "--last", "100")) == 15
    assert tailed(settings, "--type", "QcPassed") == []
    assert tailed(settings, "--topic", topics.CASE.name) == []
    story = of_s1[0]["envelope"]["correlation_id"]
    assert tailed(settings, "--correlation", story) == of_s1[:1]
    assert tailed(settings, "--last", "0") == []


def test_tail_for_people_is_a_line_an_event(settings: Settings) -> None:
    append(settings, line("S1", 1))
    [found] = succeeds(settings, "events", "tail", "--no-follow").splitlines()
    for word in ("sample.v1[", "FileLanded", "S1", "object_key=S1/1", "size_bytes=1"):
        assert word in found


def test_bytes_that_are_no_event_are_shown_as_such(settings: Settings) -> None:
    append(settings, line("S1", 1))
    put_raw(settings, Raw(b"S\x1b[31m", b"\x1b]0;rubbish", (), 0), Raw(b"S1", None, (), 0))
    done = genoflow(settings, "events", "tail", "--no-follow")
    assert done.returncode == 4
    assert done.stdout.count("not an event") == 2
    assert "11 bytes: 1b5d303b72756262697368" in done.stdout
    assert "\x1b" not in done.stdout
    assert "2 of these records are no events" in done.stderr
    as_json = genoflow(settings, "events", "tail", "--no-follow", "--json")
    rows = [json.loads(row) for row in as_json.stdout.splitlines()]
    assert as_json.returncode == 4
    assert "not in Confluent's wire format" in rows[1]["error"]
    assert rows[2]["error"] == "has no value (a tombstone)"


def test_an_unknown_schema_stops_with_its_place(settings: Settings) -> None:
    put_raw(settings, Raw(b"S1", b"\x00\x7f\xff\xff\xffabc", (("ce_type", b"x.Later"),), 0))
    said = fails(settings, "events", "tail", "--no-follow")
    assert f"{SAMPLE}[0]@0: schema id 2147483647 is unknown here" in said
    assert "deploy the schemas first" in said


@pytest.fixture
def following(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A tail that has shown one event and waits for more."""
    append(settings, line("S1", 1))
    process = subprocess.Popen(
        [GENOFLOW, "events", "tail", "--json"], env=cli_environment(settings),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline())["payload"]["size_bytes"] == 1
        yield process
    finally:
        process.kill()
        process.communicate()


def test_tail_follows_and_ctrl_c_is_quiet(
    settings: Settings, following: subprocess.Popen[str]
) -> None:
    append(settings, line("S2", 2))
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())["subject"] == "S2"
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=COMMAND_SECONDS_MAX)
    assert (following.returncode, out, err) == (0, "", "")


def test_a_closed_pipe_is_quiet(settings: Settings, following: subprocess.Popen[str]) -> None:
    assert following.stdout is not None
    assert following.stderr is not None
    following.stdout.close()
    deadline = time.monotonic() + COMMAND_SECONDS_MAX
    while following.poll() is None:  # the first write after the close is where it can notice
        assert time.monotonic() < deadline
        append(settings, line("S2", 2))
    assert following.stderr.read() == ""


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("tail", "--type", "NoSuch"), "--type NoSuch: is no event"),
        (("export", "/no/such/x.avro"), "No such file or directory"),
        (("import", "/no/such/x.avro"), "No such file or directory"),
        (("show", "gf.sample.v1[9]@0"), f"the topic has the partitions 0 to {PARTITIONS - 1}"),
        (("show", "gf.no.v1[0]@0"), "there is no such topic"),
        (("show", "gf.sample.v1[0]@5"), "no record stands there (the partition holds nothing)"),
        (("show", ID), "no event on the log has this id"),
    ],
)
def test_what_is_not_there_is_named(empty: Settings, words: tuple[str, ...], fact: str) -> None:
    assert fact in fails(empty, "events", *words)


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("tail", "--since", "yesterday"), "is no time; write 2026-03-01T10:00:00Z"),
        (("tail", "--since", "2026-03-01T10:00:00"), "has no time zone"),
        (("tail", "--topic", "gf.no.v1"), "is not one of"),
        (("append", "/no/such.jsonl"), "No such file or directory"),
    ],
)
def test_a_wrong_option_is_named(empty: Settings, words: tuple[str, ...], fact: str) -> None:
    assert fact in fails(empty, "events", *words, code=2)


def test_a_broker_that_is_away_and_topics_that_are_missing_are_named(settings: Settings) -> None:
    away = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    assert "kafka at 127.0.0.1:1: no broker answers" in fails(away, "events", "tail")
    bare = settings.model_copy(update={"topic_prefix": "bare."})
    said = fails(bare, "events", "append", "-", said=line("S1", 1))
    assert "topic bare.gf.sample.v1 is missing; run `genoflow topics apply`" in said


# -- show


def test_show_tells_everything_about_an_event(settings: Settings) -> None:
    [cause, *_] = append(settings, line("S1", 1))
    story = {"causation_id": cause[3], "correlation_id": cause[3]}
    [_, _, _, middle] = append(settings, line("S1", 2, **story))[0]
    append(settings, line("S1", 3, causation_id=middle, correlation_id=cause[3]), line("S1", 2))
    shown = json.loads(succeeds(settings, "events", "show", middle, "--json"))
    assert shown["envelope"]["event_id"] == middle
    assert [found["event_id"] for found in shown["causes"]] == [cause[3]]
    assert [found["type"] for found in shown["consequences"]] == ["FileLanded"]
    assert len(shown["also_at"]) == 1
    assert shown["schema"]["subject"] == "genoflow.v1.FileLanded"
    assert {"name": "ce_id", "text": middle}.items() <= shown["headers"][1].items()
    text = succeeds(settings, "events", "show", cause[0])
    for word in (f"event_id: {cause[3]}", "object_key: S1/1", "ce_id", "causes: none", middle):
        assert word in text


def test_show_tells_what_bytes_that_are_no_event_are(settings: Settings) -> None:
    put_raw(settings, Raw(b"S1", b"rubbish", (("x", b"\xff"),), 0))
    done = genoflow(settings, "events", "show", f"{SAMPLE}[0]@0")
    assert done.returncode == 4
    assert "not in Confluent's wire format" in done.stdout
    assert "0xff" in done.stdout


# -- export and import


def test_events_move_to_another_deployment_and_back_to_the_same_bytes(
    settings: Settings, tmp_path: Path, suffix: str
) -> None:
    append(settings, *(line(f"S{n % 3}", n) for n in range(20)))
    first, second = tmp_path / "a.avro", tmp_path / "b.avro"
    assert "20 records, sha256 " in succeeds(settings, "events", "export", str(first))
    other = settings.model_copy(update={"topic_prefix": f"u{suffix}."})
    succeeds(other, "topics", "apply")
    assert "20 would be appended" in succeeds(other, "events", "import", "--dry-run", str(first))
    assert "20 appended, 0 skipped" in succeeds(other, "events", "import", str(first))
    assert "0 appended, 20 skipped" in succeeds(other, "events", "import", str(first))
    succeeds(other, "events", "export", str(second))
    assert first.read_bytes() == second.read_bytes()
    [found] = tailed(other, "--last", "1")
    assert found["first_recorded_at"] < found["recorded_at"]
    assert f"{first}: exists" in fails(settings, "events", "export", str(first))
    part = tmp_path / "part.avro"
    out = succeeds(settings, "events", "export", str(part), "--subject", "S1", "--since", "1h")
    assert "7 records" in out
    part.write_bytes(first.read_bytes()[:-9])
    assert "part.avro: it ends in the middle of block 0" in fails(
        other, "events", "import", str(part)
    )


# -- topics


def test_topics_are_checked_and_told(settings: Settings) -> None:
    append(settings, line("S1", 1))
    table = succeeds(settings, "topics", "check")
    assert f"{settings.topic_prefix}{SAMPLE}" in table
    rows = json.loads(succeeds(settings, "topics", "check", "--json"))["topics"]
    assert len(rows) == len(every_topic())
    by_name = {row["name"]: row for row in rows}
    found = by_name[f"{settings.topic_prefix}{SAMPLE}"]
    assert (found["partitions"], found["retention"], found["offsets"]) == (PARTITIONS, "forever", 1)
    assert json.loads(succeeds(settings, "topics", "apply", "--json")) == {"created": []}
    other = settings.model_copy(update={"partitions": 8})
    said = fails(other, "topics", "check")
    assert said.count(f"has {PARTITIONS} partitions and 8 are declared") == len(every_topic())
    assert f"has {PARTITIONS} partitions and 8 are declared" in fails(other, "topics", "apply")
    bare = settings.model_copy(update={"topic_prefix": "bare."})
    assert fails(bare, "topics", "check").count("is missing") == len(every_topic())
    json.loads(genoflow(bare, "topics", "check", "--json").stdout)
