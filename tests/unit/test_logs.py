"""Log lines: one form, bound once, and nothing in them that names a person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from genoflow.deploy.cli import FirstLine
from genoflow.deploy.logs import REDACTED, about, configure_logs
from genoflow.deploy.settings import Settings
from genoflow.events.file_landed import FileLanded
from tests.examples import example

RECORD_NUMBER = "MRN-0012345"
INSURANCE = "123-45-6789"
NAME = "Ødegård, Åse"
PATTERNS = (*Settings().person_patterns, NAME)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    out = io.StringIO()
    configure_logs(level="debug", patterns=PATTERNS, stream=out)
    return out


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_what_a_line_is_about_is_bound_once(stream: io.StringIO) -> None:
    event = example(FileLanded, 1)
    log = structlog.get_logger("genoflow.test")
    with about(event, processor="validate"):
        log.info("taken up", size=3)
        logging.getLogger("a.library").warning("retrying %s", "soon")
    log.info("idle")
    first, second, third = lines(stream)
    for line in (first, second):
        assert line["event_id"] == str(event.envelope.event_id)
        assert line["correlation_id"] == str(event.envelope.correlation_id)
        assert line["processor"] == "validate"
    assert (first["event"], first["size"], first["level"]) == ("taken up", 3, "info")
    assert second["event"] == "retrying soon"
    assert "event_id" not in third


@pytest.mark.parametrize("identifier", [RECORD_NUMBER, INSURANCE, NAME, "mrn 1234567"])
def test_no_identifier_of_a_person_reaches_a_line(stream: io.StringIO, identifier: str) -> None:
    log = structlog.get_logger("genoflow.test").bind(subject=identifier)
    log.info(f"sample of {identifier}", nested={"rows": [{"who": identifier}], identifier: 1})
    log.info("as bytes", raw=identifier.encode(), path=ValueError(identifier))
    logging.getLogger("a.library").error("refused %s (%r)", identifier, {"who": identifier})
    try:
        int(f"no such sample: {identifier}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("a.library").exception("failed too: %s", identifier)
    with structlog.contextvars.bound_contextvars(sample=identifier):
        log.warning("bound around")
    written = stream.getvalue()
    assert len(lines(stream)) == 6
    assert identifier not in written
    assert written.count(REDACTED) >= 10


def test_what_is_no_identifier_stays(stream: io.StringIO) -> None:
    structlog.get_logger("genoflow.test").info("S-12345", mean_coverage=31.5, passed=True)
    [line] = lines(stream)
    assert (line["event"], line["mean_coverage"], line["passed"]) == ("S-12345", 31.5, True)


def test_a_terminal_gets_colours_and_a_pipe_gets_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure_logs(level="info", patterns=PATTERNS, stream=terminal)
    structlog.get_logger("genoflow.test").info("hello", subject=RECORD_NUMBER)
    assert "\x1b[" in terminal.getvalue()
    assert RECORD_NUMBER not in terminal.getvalue()


def test_a_quiet_library_is_heard_when_it_warns(stream: io.StringIO) -> None:
    logging.getLogger("aiokafka.consumer").info("fetched")
    logging.getLogger("aiokafka.consumer").warning("connection lost")
    assert [line["event"] for line in lines(stream)] == ["connection lost"]


def test_the_command_line_sets_logging_up_with_its_first_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.getLogger().handlers[:] = [FirstLine()]
    logging.getLogger("aiokafka").warning("no answer for %s", RECORD_NUMBER)
    logging.getLogger("aiokafka").warning("again")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["event"] == f"no answer for {REDACTED}"
    assert second["event"] == "again"
