"""Questions on the command line, answered from the log and from rows: the same texts."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.cli import genoflow as command_line
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.event_parked import EventParked
from genoflow.events.subscription_created import SubscriptionCreated
from tests.asked import like, registered
from tests.e2e.workers import GENOFLOW, PATIENCE_SECONDS, genoflow, happens, settings_of, succeeds
from tests.integration.rows_over_http import first
from tests.partition import MOMENT
from tests.servers import cli_environment
from tests.spec import heard

PARKED_ID = "6f9d2c2e-7c1b-5a53-9d0c-2f6f4b1d7e10"
FROM_LOG = "genoflow: answered from the log: "
SUBSCRIBED = SubscriptionCreated(
    subscription_id="qc", account_id="a.b", channel="email", target="a.b@lab.example",
    event_types=("QcFailed", "FileRejected"), subject_keys=(), project_ids=("P1",),
    secret_names=(), attempts_max=8,
)  # fmt: skip


@pytest.fixture
def settings(stack: Addresses, postgres_url: str, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, with its topics."""
    found = settings_of(stack, suffix, tmp_path / "home", postgres=SecretStr(postgres_url))
    succeeds(found, "topics", "apply")
    return found


def names(settings: Settings) -> dict[str, str]:
    """A subject of each kind of which much is known: the one of most events."""

    async def read() -> dict[str, str]:
        found = {}
        async with open_log(settings) as log:
            for kind, topic in (
                ("sample", topics.SAMPLE), ("case", topics.CASE), ("run", topics.RUN),
            ):  # fmt: skip
                keys = [record.key async for record in log.read_topic(topic.name)]
                found[kind] = max(sorted(set(keys)), key=keys.count)
            landed = [r.event async for r in log.read_topic(topics.SAMPLE.name)
                      if r.type == "FileLanded"]  # fmt: skip
            found["file"] = f"{landed[0].bucket}/{landed[0].object_key}"  # type: ignore[attr-defined]
        return found

    return asyncio.run(read())


def park(settings: Settings, sample: str) -> None:
    """Let an event of this sample be parked, with others behind it."""

    async def append() -> None:
        async with open_log(settings) as log:
            async for record in log.read_topic(topics.SAMPLE.name):
                if record.key == sample:
                    break
            fact = like(
                EventParked, subject_key=sample, processor="check-qc", input_topic=record.topic,
                partition=record.partition, offset=record.offset, effect_id=None,
                parked_event_id=record.event.envelope.event_id, parked_type=record.type,
                error=f"{record.position}: nobody answers", recorded_at=MOMENT,
            )  # fmt: skip
            parked = heard(EventParked(**dict(fact)))
            named = parked.envelope.model_copy(update={"event_id": UUID(PARKED_ID)})
            await log.append(parked.enveloped(named))

    asyncio.run(append())


def questions(known: dict[str, str]) -> list[tuple[str, ...]]:
    """Everything that may be asked, for people and for programs."""
    found: list[tuple[str, ...]] = [
        ("subscription", "list"), ("subscription", "show", "qc"), ("subscription", "why", "qc"),
    ]  # fmt: skip
    for more in ((), ("--json",)):
        found += [("parked", "list", *more), ("results", "show", known["case"], *more)]
        found.append(("parked", "show", PARKED_ID[:8], *more))
        for kind, name in known.items():
            found += [(kind, "list", "--limit", "1000", *more), (kind, "list", *more)]
            found += [(kind, "show", name, *more), (kind, "why", name, *more)]
            found.append((kind, "timeline", name, "--json"))
    return found


@pytest.mark.long
def test_rows_and_log_give_the_same_answers_to_everything(settings: Settings) -> None:
    happens(settings, *first(), SUBSCRIBED)
    known = names(settings)
    park(settings, known["sample"])
    runner, environment = CliRunner(), cli_environment(settings)
    asked = questions(known)
    from_log = [runner.invoke(command_line, words, env=environment) for words in asked]
    succeeds(settings, "project", "--once")
    for words, before in zip(asked, from_log, strict=True):
        after = runner.invoke(command_line, words, env=environment)
        assert (before.exit_code, after.exit_code) == (0, 0), (words, before.output, after.output)
        assert after.stdout == before.stdout, words
        assert after.stdout
        assert after.stderr == "", words
        if words[1] != "timeline":
            assert before.stderr.startswith(f"{FROM_LOG}read model "), words
    happens(settings, registered("late"))
    done = genoflow(settings, "sample", "why", "late")
    assert (
        done.stderr == f"{FROM_LOG}the rows are 1 record behind it; `genoflow project` feeds them\n"
    )
    assert "late waits for an order" in done.stdout


def test_a_deployment_without_rows_is_answered_from_the_log(
    settings: Settings, tmp_path: Path
) -> None:
    happens(settings, registered("S1"))
    without = settings.model_copy(update={"postgres": None, "home": tmp_path / "other"})
    done = genoflow(without, "sample", "list", "--json")
    assert done.stderr == f"{FROM_LOG}no Postgres with read models is known here\n"
    assert json.loads(done.stdout)["id"] == "S1"
    away = SecretStr("postgresql://postgres@127.0.0.1:1/postgres")
    done = genoflow(settings.model_copy(update={"postgres": away}), "sample", "why", "S1")
    assert done.stderr.startswith(f"{FROM_LOG}Postgres does not answer (")
    assert "S1 waits for an order" in done.stdout


def test_a_watched_list_shows_what_happens_until_it_is_interrupted(
    settings: Settings, tmp_path: Path
) -> None:
    assert "say one" in genoflow(settings, "sample", "list", "--watch", "--json").stderr
    shown = tmp_path / "shown"
    with (
        shown.open("w") as out,
        subprocess.Popen(
            [GENOFLOW, "sample", "list", "--watch"], env=cli_environment(settings), stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):  # fmt: skip
        try:
            waits_for(shown, "there is no sample on the log yet")
            happens(settings, registered("S1"))
            waits_for(shown, "S1 ")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=PATIENCE_SECONDS) == 0
        finally:
            process.kill()
    text = shown.read_text()
    assert text.count(FROM_LOG) == 1
    assert "Traceback" not in text


def waits_for(shown: Path, words: str) -> None:
    """Return once the screen has shown this."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while words not in shown.read_text():
        assert time.monotonic() < deadline, shown.read_text()
        time.sleep(0.05)
