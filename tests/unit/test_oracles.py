"""The fetched oracle: pinned, and missed with the command that gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.events.errors import StackFault
from tests import oracles


def test_a_missing_oracle_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENOFLOW_CACHE", str(tmp_path))
    with pytest.raises(
        StackFault, match=r"run `\.venv/bin/python -m tests\.oracles fetch`"
    ) as caught:
        oracles.find_apicurio()
    assert str(tmp_path) in str(caught.value)


def test_another_archive_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    pinned = oracles.read_lock()
    archive = tmp_path / pinned.file_name
    archive.write_bytes(b"another")
    with pytest.raises(StackFault, match=pinned.sha256):
        oracles.check(pinned, archive)


def test_the_lock_holds_no_address() -> None:
    text = oracles.LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert oracles.read_lock().file_name == "apicurio-registry-app-3.0.9-all.tar.gz"


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENOFLOW_CACHE", str(tmp_path))
    oracles.apicurio_path().mkdir(parents=True)
    assert oracles.main(["fetch"]) == 0
    assert str(oracles.find_apicurio()) in capsys.readouterr().out


def test_another_verb_is_told_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert oracles.main(["get"]) == 2
    assert oracles.FETCH_COMMAND in capsys.readouterr().err
