"""The decider of another git revision: its tree beside this one, and a child that runs it there.

The tree is a work tree of git in a temporary folder. It goes away with the child, whatever ends the
replay; what a killed process leaves, `git worktree prune` forgets once the folder is gone.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from genoflow.deploy.replay import decider
from genoflow.deploy.replay.decider import How, Plain, packed
from genoflow.deploy.settings import inherited_environment
from genoflow.events.errors import Refused, UnknownSchema
from genoflow.events.log.recorded import Recorded

GIT_SECONDS_MAX = 120  # to write a tree of 100 MB on a slow disk
# A batch of 200 records of 1 MB each, and their answers, as base64 in JSON: more than ever comes.
LINE_BYTES_MAX = 600_000_000
WORDS_CHARACTERS_MAX = 2_000  # of what a child said last
ROOMS = ("events", "schemas", "processors", "projections", "native", "nextflow", "api", "deploy")


def repository() -> Path:
    """The git checkout that this code runs from; Refused where it was installed without one."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        raise Refused(
            f"{here} is no git checkout, so there are no other revisions of this code in it; name "
            f"one with --repository"
        )
    return here


def resolve(checkout: Path, revision: str) -> str:
    """The commit that a revision names; Refused where there is none."""
    named = _git(checkout, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    if named.returncode:
        raise Refused(
            f"{revision}: is no revision of {checkout} ({_words(named.stderr)}); fetch it, or name "
            f"a commit, a tag or a branch"
        )
    return named.stdout.strip()


def _git(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "-C", str(checkout), *words],
        check=False, capture_output=True, text=True, timeout=GIT_SECONDS_MAX,
        start_new_session=True,  # Ctrl-C is ours, and what git began is taken back by us
    )  # fmt: skip


def _words(text: str) -> str:
    return "; ".join(text.strip().splitlines())[-WORDS_CHARACTERS_MAX:] or "it said nothing"


class Elsewhere:
    """A decider in another process."""

    def __init__(self, process: Process, commit: str) -> None:
        self._process = process
        self.commit = commit
        self.about: Plain = {}

    async def begin(self) -> None:
        """Hear what the row is there; Refused where there is none."""
        first = await self._answer()
        if "refused" in first:
            raise Refused(f"revision {self.commit[:12]}: {first['refused']}; name another one")
        self.about = first["about"]

    async def take(self, batch: Sequence[tuple[Recorded, How]]) -> list[Plain]:
        """The answers to these records, in their order; UnknownSchema names the place."""
        assert self._process.stdin is not None
        line = json.dumps([packed(record, how) for record, how in batch]) + "\n"
        try:
            self._process.stdin.write(line.encode())
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it is gone; reading its answer says why
        answer = await self._answer()
        if "stop" in answer:
            raise UnknownSchema(
                f"{answer['stop']}. Revision {self.commit[:12]} cannot read this log any further; "
                f"name a later one"
            )
        told: list[Plain] = answer["told"]
        return told

    async def _answer(self) -> Plain:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if line:
            answer: Plain = json.loads(line)
            return answer
        code = await self._process.wait()
        raise Refused(
            f"revision {self.commit[:12]}: its decider ended with exit code {code}; what it said "
            f"stands above"
        )


@asynccontextmanager
async def at_revision(checkout: Path, revision: str, processor: str) -> AsyncIterator[Elsewhere]:
    """The decider of a processor as it was at a revision, until the end of the block."""
    commit = resolve(checkout, revision)
    folder = Path(tempfile.mkdtemp(prefix="genoflow-replay-"))
    tree = folder / "tree"
    try:
        made = _git(checkout, "worktree", "add", "--detach", str(tree), commit)
        if made.returncode:
            raise Refused(
                f"{checkout}: git cannot write the tree of {commit[:12]} ({_words(made.stderr)}); "
                f"make room in {folder.parent}, or run `git worktree prune`"
            )
        async with _child(folder, tree, processor) as process:
            teller = Elsewhere(process, commit)
            await teller.begin()
            yield teller
    finally:
        _git(checkout, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _child(folder: Path, tree: Path, processor: str) -> AsyncIterator[Process]:
    rooms = folder / "path" / "genoflow"
    rooms.mkdir(parents=True)
    for room in ROOMS:
        if (tree / room).is_dir():
            (rooms / room).symlink_to(tree / room)
    process = await asyncio.create_subprocess_exec(
        # -P: the folder of the script is not searched, whose modules bear short names.
        sys.executable, "-P", str(Path(decider.__file__)), processor, str(tree),
        stdin=PIPE, stdout=PIPE, limit=LINE_BYTES_MAX, start_new_session=True,
        env={
            **inherited_environment(),
            "PYTHONPATH": str(rooms.parent), "PYTHONDONTWRITEBYTECODE": "1",
        },
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()  # it holds nothing, and waits for nothing but us
        await process.wait()
