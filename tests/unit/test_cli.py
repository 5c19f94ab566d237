"""The command line answers in one line, loads little, and never shows a traceback."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from genoflow.deploy import cli
from genoflow.events.errors import StackFault


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_of_the_table_is_there_with_its_help(name: str) -> None:
    module, attribute, line = cli.COMMANDS[name]
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    result = CliRunner().invoke(cli.genoflow, [name, "--help"])
    assert result.exit_code == 0
    assert line.endswith(".")


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from genoflow.deploy.cli import run; run(['--help']); "
        "loaded = [m for m in sys.modules if m.startswith('genoflow.deploy.commands.')]; "
        "sys.exit(len(loaded))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, b"doctor" in ended.stdout) == (0, True)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (StackFault("there: it broke; mend it"), 1, "genoflow: there: it broke; mend it\n"),
        (KeyboardInterrupt(), 130, "genoflow: interrupted\n"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(
    raised: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def broken() -> None:
        raise raised

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: broken)
    assert cli.run(["status"]) == code
    assert capsys.readouterr().err.lstrip("\n") == said  # first ends the line that shows ^C


def test_an_unknown_command_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["nothing"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet() -> None:
    line = f"{sys.executable} -m genoflow.deploy.cli doctor | head -c 1"
    ended = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert ended.stderr == ""


def test_a_command_that_changes_an_account_loads_no_figures_and_no_spans() -> None:
    asked = (
        "import sys, genoflow.deploy.api_services, genoflow.api.figures as figures; "
        "figures.Figures(); "
        "print([name for name in ('prometheus_client', 'opentelemetry.sdk', 'fastapi') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
