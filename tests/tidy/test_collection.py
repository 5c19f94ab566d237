"""The list of tests is the same for everybody: two processes share it out between them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tidy.source import ROOT

SECONDS_MAX = 120  # a collection takes 6 s on a quiet core


def collected(hash_seed: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "tests"],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True,
        timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:]
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.long
def test_no_name_of_a_test_depends_on_the_second_or_on_the_order_of_a_set() -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(collected, ("1", "2"))
    assert len(first) > 5_000
    assert [one for one in first if one not in set(second)] == []
    assert first == second
