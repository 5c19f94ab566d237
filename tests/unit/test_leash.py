"""A leash ends its program with its owner, gently first, and says how the program ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genoflow.deploy.local.process import (
    Identity,
    Launch,
    Leashed,
    identify,
    run_once,
    start_time,
)
from genoflow.events.errors import StackFault

PATIENCE_SECONDS = 20.0  # what takes milliseconds alone may take seconds beside other tests
WAITS = "import signal,sys,time; {trap}; print('up', flush=True); time.sleep(600)"
GENTLE = WAITS.format(trap="signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))")
STUBBORN = WAITS.format(trap="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
PARENT = (
    "import subprocess,sys,time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print(child.pid, flush=True); sys.exit(0)"
)
# Starts a server on a leash, says its process id, and waits to be killed.
OWNER = """
import asyncio, sys
from genoflow.deploy.local.process import Launch, Leashed
async def main():
    with open(sys.argv[1], "wb") as output:
        process = await Leashed.start(Launch((sys.executable, "-c", sys.argv[2])), output.fileno())
    print(process.pid, process.leash.pid, flush=True)
    await process.wait()
asyncio.run(main())
"""


def python(code: str, **options: object) -> Launch:
    return Launch((sys.executable, "-c", code), **options)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def namespaces_work() -> bool:
    probe = await asyncio.create_subprocess_exec("unshare", "--user", "true")
    return await probe.wait() == 0


async def started(launch: Launch, output: Path) -> Leashed:
    with output.open("wb") as file:
        process = await Leashed.start(launch, file.fileno())
    await until(lambda: output.read_bytes().startswith(b"up"))
    return process


async def test_the_exit_code_is_the_programs() -> None:
    assert await run_once(python("import sys; print('said'); sys.exit(5)")) == (5, "said")


async def test_a_program_that_a_signal_ended_gives_128_and_its_number() -> None:
    code, _ = await run_once(python("import os; os.kill(os.getpid(), 9)"))
    assert code == 128 + signal.SIGKILL


async def test_a_program_is_asked_to_end_before_it_is_made_to(tmp_path: Path) -> None:
    process = await started(python(GENTLE), tmp_path / "output")
    assert await process.stop() == 7


async def test_a_program_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = await started(python(STUBBORN, grace_seconds=0.3), tmp_path / "output")
    before = time.monotonic()
    assert await process.stop() == 128 + signal.SIGKILL
    assert time.monotonic() - before >= 0.3


async def test_the_program_dies_with_its_leash(tmp_path: Path) -> None:
    process = await started(python(STUBBORN), tmp_path / "output")
    server = identify(process.pid)
    process.leash.kill(signal.SIGKILL)
    await until(lambda: not server.alive())
    await process.wait()


async def test_what_a_program_leaves_behind_is_ended_with_it() -> None:
    code, output = await run_once(python(PARENT))
    assert code == 0
    await until(lambda: start_time(int(output)) == "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_program_ends_gently_when_its_owner_is_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    mark = tmp_path / "ended gently"
    trap = f"signal.signal(signal.SIGTERM, lambda *_: (open({str(mark)!r}, 'w'), sys.exit(0)))"
    arguments = (str(tmp_path / "output"), WAITS.format(trap=trap))
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    words = (await owner.stdout.readline()).split()
    server, leash = (identify(int(word)) for word in words)
    await until(lambda: (tmp_path / "output").read_bytes().startswith(b"up"))
    owner.send_signal(number)
    await owner.wait()
    await until(lambda: not server.alive() and not leash.alive())
    assert mark.exists()


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such-server")
    with pytest.raises(StackFault, match=r"no-such-server: .*No such file.*genoflow doctor"):
        await run_once(Launch((missing,)))


async def test_a_mapped_program_is_not_root_and_its_files_are_the_callers(tmp_path: Path) -> None:
    made = tmp_path / "made"
    program = python(f"import os; open({str(made)!r}, 'w'); print(os.geteuid())", identity="mapped")
    if not await namespaces_work():
        with pytest.raises(StackFault, match="user namespace"):
            await run_once(program)
        assert not made.exists()
        return
    code, output = await run_once(program)
    assert (code, output) == (0, "1000")
    assert made.stat().st_uid == os.getuid()


async def test_a_mapped_program_dies_with_its_leash(tmp_path: Path) -> None:
    if not await namespaces_work():
        return  # the test above shows that this is said
    process = await started(python(STUBBORN, identity="mapped"), tmp_path / "output")
    server = identify(process.pid)
    process.leash.kill(signal.SIGKILL)
    await until(lambda: not server.alive())
    await process.wait()


def test_a_process_is_not_mistaken_for_one_that_got_its_id() -> None:
    own = identify(os.getpid())
    assert own.alive()
    earlier = Identity(own.pid, "0")
    assert not earlier.alive()
    earlier.kill(signal.SIGKILL)  # must not reach this test
    assert not Identity(0, "").alive()
