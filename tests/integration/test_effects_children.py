"""Effects on bytes in real processes: however one dies, it is said, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from genoflow.deploy.local.process import Identity, identify
from genoflow.events.errors import Parked, Retry, Stop
from genoflow.events.subject_silent import SubjectSilent
from genoflow.processors.adapters.children import ChildPool
from genoflow.processors.failure import FailedElsewhere
from tests.integration.effects import (
    CHILD_COMMAND,
    KINDS,
    ROOT,
    effect,
    processes_named,
    until,
)  # fmt: skip

# A worker that begins an effect without an end, says which process it is, and waits.
WORKER = f"""
import asyncio, sys; sys.path.insert(0, {str(ROOT)!r})
from genoflow.processors.adapters.children import ChildPool
from tests.integration.effects import CHILD_COMMAND, KINDS, effect
async def main():
    asked = effect("never_ends", text=sys.argv[1])
    await ChildPool(CHILD_COMMAND).perform("byte-work", asked, KINDS["never_ends"], 1, print)
asyncio.run(main())
"""


@pytest.fixture
async def pool() -> AsyncIterator[ChildPool]:
    opened = ChildPool(CHILD_COMMAND)
    yield opened
    await opened.close()


def quiet(_done: float, _total: float | None, _unit: str) -> None:
    pass


async def done(pool: ChildPool, name: str, text: str = "", number: int = 1) -> str:
    asked = effect(name, text=text)
    events = await pool.perform("byte-work", asked, KINDS[name], number, quiet)
    (event,) = events
    assert isinstance(event, SubjectSilent)
    return event.subject_key


async def test_an_effect_reads_bytes_and_tells_its_progress(pool: ChildPool) -> None:
    told: list[tuple[float, float | None, str]] = []
    asked = effect("reads")
    (event,) = await pool.perform(
        "byte-work", asked, KINDS["reads"], 1, lambda *news: told.append(news)
    )
    assert event.key == str(3 * 1024**2)
    assert told[0] == (1024**2, 3 * 1024**2, "bytes")


async def test_progress_is_passed_on_four_times_a_second_at_most(pool: ChildPool) -> None:
    told: list[float] = []
    asked = effect("tells_often")
    await pool.perform("byte-work", asked, KINDS["tells_often"], 1, lambda *_: told.append(1))
    assert 2 <= len(told) <= 5


async def test_a_process_is_used_again_until_it_dies(pool: ChildPool) -> None:
    first = await done(pool, "says_its_process", number=3)
    second = await done(pool, "says_its_process", number=4)
    assert first.split("/")[0] == second.split("/")[0]
    assert (first[-1], second[-1]) == ("3", "4")
    with pytest.raises(Retry):
        await done(pool, "crashes")
    assert (await done(pool, "says_its_process")).split("/")[0] != first.split("/")[0]


async def test_an_idle_process_that_died_is_not_used_again(pool: ChildPool) -> None:
    first = int((await done(pool, "says_its_process")).split("/")[0])
    process = identify(first)
    process.kill(signal.SIGKILL)
    await until(lambda: not process.alive())
    # Whether the pool knows by now is chance; at worst the effect is tried again.
    for _ in range(2):
        try:
            second = await done(pool, "says_its_process")
        except Retry:
            continue
        break
    assert int(second.split("/")[0]) != first


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
async def test_a_death_by_signal_is_named_and_tried_again(pool: ChildPool, name: str) -> None:
    with pytest.raises(
        Retry, match=rf"^crashes [0-9a-f-]+: its process was ended by {name}.*requeue"
    ):
        await done(pool, "crashes", name)


async def test_a_process_that_ends_without_an_answer_is_named(pool: ChildPool) -> None:
    with pytest.raises(Retry, match="ended with exit status 0 and no outcome"):
        await done(pool, "leaves")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process may write to")
async def test_one_that_eats_memory_is_stopped_before_the_machine_is(pool: ChildPool) -> None:
    with pytest.raises(Retry, match=r"needs more than its 67108864 bytes.*memory_bytes_max"):
        await done(pool, "eats")
    assert await done(pool, "reads") == str(3 * 1024**2)


async def test_what_an_effect_prints_and_reads_is_not_the_protocol(pool: ChildPool) -> None:
    assert await done(pool, "prints") == "read ''"
    assert await done(pool, "reads") == str(3 * 1024**2)


@pytest.mark.parametrize(
    ("text", "choice", "words"),
    [
        ("retry", Retry, "the store is away"),
        ("timeout", Retry, "timed out"),
        ("stop", Stop, "cannot go on"),
        ("park", Parked, "bad file"),
        ("exit", Parked, "3"),
        ("", Parked, "a bug of ours"),
    ],
)
async def test_what_an_effect_raises_is_the_closed_choice(
    pool: ChildPool, text: str, choice: type[Exception], words: str
) -> None:
    with pytest.raises(choice, match=words) as caught:
        await done(pool, "raises", text)
    told = caught.value if choice is Parked else caught.value.__cause__
    assert isinstance(told, FailedElsewhere)
    assert "in raises" in told.error_trace
    if text == "":
        assert told.error_class == "ZeroDivisionError"


async def test_an_outcome_that_is_too_long_is_parked(pool: ChildPool) -> None:
    with pytest.raises(Parked, match=r"16777216 is the limit; put it\s+into an object"):
        await done(pool, "says_much")


async def test_what_is_no_answer_ends_the_process_and_parks() -> None:
    pool = ChildPool((sys.executable, "-c", "print('hello'); input()"))
    with pytest.raises(Parked, match="is no answer to its worker: b'hello"):
        await done(pool, "reads")
    await pool.close()


async def test_a_line_without_an_end_is_parked() -> None:
    endless = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    pool = ChildPool((sys.executable, "-c", endless))
    with pytest.raises(Parked, match="a line of more than 16777216 bytes"):
        await done(pool, "reads")
    await pool.close()


async def test_a_program_that_does_not_begin_is_tried_again() -> None:
    pool = ChildPool((sys.executable, "-c", "raise SystemExit('no settings')"))
    with pytest.raises(Retry, match="ended with exit status 1 and no outcome before it was ready"):
        await done(pool, "reads")
    await pool.close()


async def test_a_child_of_other_code_stops_the_worker(pool: ChildPool) -> None:
    with pytest.raises(Stop, match="knows no such effect"):
        await pool.perform("gone", effect("reads"), KINDS["reads"], 1, quiet)


async def test_a_cancelled_effect_leaves_no_process(pool: ChildPool, tmp_path: Path) -> None:
    asked = asyncio.create_task(done(pool, "never_ends", str(tmp_path / "ids")))
    living = [identify(pid) for pid in await processes_named(tmp_path / "ids")]
    assert all(one.alive() for one in living)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not living[0].alive()
    await until(lambda: not any(one.alive() for one in living))  # init waits for the helper


async def test_cancelled_while_it_starts_it_leaves_no_process() -> None:
    before = _children()
    pool = ChildPool(CHILD_COMMAND)
    for rounds in range(5):
        asked = asyncio.create_task(done(pool, "reads"))
        for _ in range(rounds * 3):
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    await pool.close()
    assert _children() == before


async def test_close_ends_those_at_work_and_those_at_rest(tmp_path: Path) -> None:
    pool = ChildPool(CHILD_COMMAND)
    asked = asyncio.create_task(done(pool, "never_ends", str(tmp_path / "ids")))
    idle = identify(int((await done(pool, "says_its_process")).split("/")[0]))
    living = [idle, *(identify(pid) for pid in await processes_named(tmp_path / "ids"))]
    await pool.close()
    with pytest.raises(Retry):
        await asked
    await until(lambda: not any(one.alive() for one in living))
    with pytest.raises(Stop, match="closed"):
        await done(pool, "reads")


@pytest.mark.parametrize("stopped", [False, True])
async def test_children_die_with_a_worker_that_is_killed(tmp_path: Path, stopped: bool) -> None:
    """SIGKILL; and SIGSTOP first, as of a machine that hangs and is then put down."""
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, str(tmp_path / "ids")), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        living = [identify(pid) for pid in await processes_named(tmp_path / "ids")]
        assert all(one.alive() for one in living)
        if stopped:
            worker.send_signal(signal.SIGSTOP)
    finally:
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
    await until(lambda: not any(one.alive() for one in living))


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel says who dies with whom")
async def test_the_one_that_works_dies_with_its_guard(pool: ChildPool, tmp_path: Path) -> None:
    asked = asyncio.create_task(done(pool, "never_ends", str(tmp_path / "ids")))
    works, helper = [identify(pid) for pid in await processes_named(tmp_path / "ids")]
    _parent(works).kill(signal.SIGKILL)
    with pytest.raises(Retry, match="ended by SIGKILL"):
        await asked
    await until(lambda: not works.alive())
    helper.kill(signal.SIGKILL)  # out of reach once its guard is dead, as the module says


def _parent(of: Identity) -> Identity:
    fields = Path(f"/proc/{of.pid}/stat").read_text().rpartition(")")[2].split()
    return identify(int(fields[1]))


def _children() -> list[str]:
    tasks = Path(f"/proc/{os.getpid()}/task")
    if not tasks.exists():
        return []
    found: list[str] = []
    for task in tasks.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found += (task / "children").read_text().split()
    return sorted(found)


async def test_a_busy_child_costs_its_worker_little(pool: ChildPool) -> None:
    """Two hundred small effects in one process: the way there and back, not a start each."""
    await done(pool, "says_its_process")
    begun_at = time.monotonic()
    for _ in range(200):
        await done(pool, "says_its_process")
    assert time.monotonic() - begun_at < 10
