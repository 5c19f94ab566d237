"""What every command asks of a person who decides."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from genoflow.deploy.commands.charts import charts
from genoflow.deploy.commands.hold import hold
from genoflow.deploy.commands.options import Decision, deciding
from genoflow.deploy.commands.sample import sample


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (hold, ("place", "S1", "case-7")),
        (hold, ("release", "S1", "case-7")),
        (charts, ("restart", "3f1c6a5e-7a60-5b3f-9d3c-0c9f4f1f2b11")),
        (sample, ("relabel", "S1", "--as", "S2")),
        (sample, ("swap", "S1", "S2")),
    ],
)
def test_nothing_is_decided_without_a_reason(command: click.Group, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, "Missing option '--reason'" in done.output) == (2, True), done.output


def test_a_decision_says_who_why_and_under_which_request() -> None:
    heard: list[tuple[str, Decision]] = []

    @click.command()
    @click.argument("name")
    @deciding("admin")
    def told(name: str, decision: Decision) -> None:
        heard.append((name, decision))

    words = ["S1", "--reason", "a court asks", "--as", "clerk-2", "--request-id", "R-1"]
    done = CliRunner().invoke(told, words)
    assert done.exit_code == 0, done.output
    [(name, decision)] = heard
    assert name == "S1"
    decided = decision.decided()
    assert (decided.reason, decided.role, decided.request_id) == ("a court asks", "admin", "R-1")
    assert decision.dry_run is False


def test_a_reason_may_be_left_out_where_nothing_is_decided() -> None:
    heard: list[Decision] = []

    @click.command()
    @deciding("operator", must_say_why=False)
    def told(decision: Decision) -> None:
        heard.append(decision)

    assert CliRunner().invoke(told, []).exit_code == 0
    assert [one.reason for one in heard] == [""]
