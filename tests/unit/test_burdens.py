"""What a process takes of its machine, by its own account."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from genoflow.deploy import burdens
from genoflow.deploy.burdens import OwnBurden


def test_a_busy_second_is_seen_and_an_idle_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burdens, "ASKED_SECONDS", 0.2)
    burden = OwnBurden()
    assert "cpu_percent" not in burden(), "nothing is known of the time before"
    used = time.process_time()
    while time.process_time() - used < 0.15:
        pass
    busy = burden()["cpu_percent"]
    assert busy > 5, "other processes may take the rest"
    assert burden()["cpu_percent"] == busy, "asked again at once, it says the same"
    time.sleep(0.3)
    assert burden()["cpu_percent"] < busy


def test_memory_is_what_the_system_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    counted = int(line.split()[1]) * 1_024
    assert OwnBurden()()["resident_bytes"] == pytest.approx(counted, rel=0.2)
    monkeypatch.setattr(burdens, "STATM", Path("/nowhere"))
    assert "resident_bytes" not in OwnBurden()(), "what the system does not tell is left out"
