"""Another revision decides in a child, from a tree of its own that goes away behind it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from genoflow.deploy.replay.decide import Report, Wish, replay
from genoflow.deploy.replay.revision import Elsewhere, at_revision, repository
from genoflow.events import topics
from genoflow.events.errors import Refused, UnknownSchema
from genoflow.processors.flow import PROCESSORS
from tests.partition import CODEC
from tests.replays import told, whole_flow
from tests.tidy.source import ROOT

JUDGE = "judge-reads"
Edit = Callable[[Path], None]


def git(checkout: Path, *words: str) -> str:
    """What git says."""
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    done = subprocess.run(
        ["git", *who, "-C", str(checkout), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository, with this code as its newest commit."""
    place = tmp_path_factory.mktemp("clone") / "genoflow"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    for room in ("events", "schemas", "processors"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                into = place / path.relative_to(ROOT)
                into.parent.mkdir(parents=True, exist_ok=True)
                into.write_bytes(path.read_bytes())
    commit(place, lambda _tree: None, stays=True)
    return place


def commit(checkout: Path, edit: Edit, *, stays: bool = False) -> str:
    """The commit that an edit makes; the tree is as it was afterwards, unless it stays."""
    before = git(checkout, "rev-parse", "HEAD")
    edit(checkout)
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "An edit")
    made = git(checkout, "rev-parse", "HEAD")
    if not stays:
        git(checkout, "reset", "--quiet", "--hard", before)
    return made


def edited(name: str, before: str, after: str) -> Edit:
    """One place of one file is another one."""

    def edit(tree: Path) -> None:
        text = (tree / name).read_text("utf-8")
        assert text.count(before) == 1
        (tree / name).write_text(text.replace(before, after), "utf-8")

    return edit


@pytest.fixture(autouse=True)
def _nothing_is_left(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Whatever happens, the tree of the revision is gone and git knows of none."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []
    assert len(git(checkout, "worktree", "list").splitlines()) == 1


async def compared(checkout: Path, revision: str, name: str = JUDGE) -> Report:
    """What a revision decides otherwise of the whole flow."""
    _, log, _ = whole_flow()
    async with at_revision(checkout, revision, name) as teller:
        return await replay(log, PROCESSORS[name], teller, CODEC, Wish())


@pytest.mark.parametrize("name", [JUDGE, "clock-sample", "queue-notifications-run"])
async def test_the_same_code_in_a_child_decides_the_same(checkout: Path, name: str) -> None:
    report = await compared(checkout, "HEAD", name)
    assert report.decisions > 0
    assert told(report) == []


async def test_a_changed_decider_lists_exactly_the_samples_that_it_touches(checkout: Path) -> None:
    lenient = edited("processors/judge_reads.py", "    if not failures:\n", "    if True:\n")
    report = await compared(checkout, commit(checkout, lenient))
    _, log, _ = whole_flow()
    failed = {
        record.key
        async for record in log.read_topic(topics.SAMPLE.name)
        if record.type == "QcFailed" and record.event.envelope.producer.service == JUDGE
    }
    [group] = report.groups(3)
    assert (group.kind, group.what) == ("instead", "QcFailed → QcPassed")
    assert set(group.subjects) == failed
    assert group.count == len(failed) > 0


async def test_an_edition_that_it_does_not_know_is_refused_with_its_first_place(
    checkout: Path,
) -> None:
    def without(tree: Path) -> None:
        path = tree / "schemas" / "ids.lock"
        lock = json.loads(path.read_text("utf-8"))
        lock["editions"] = [r for r in lock["editions"] if r["type"] != "QcMetricsRecorded"]
        path.write_text(json.dumps(lock), "utf-8")

    _, log, _ = whole_flow()
    records = [record async for record in log.read_topic(topics.SAMPLE.name)]
    first = min(
        (r.position for r in records if r.type == "QcMetricsRecorded"),
        key=lambda place: (place.partition, place.offset),
    )
    revision = commit(checkout, without)
    with pytest.raises(UnknownSchema) as caught:
        await compared(checkout, revision)
    assert str(caught.value).startswith(f"{first}: schema id")
    assert f"Revision {revision[:12]}" in str(caught.value)


JUDGE_FILE, FLOW_FILE = "processors/judge_reads.py", "processors/flow.py"
FIRST = "from genoflow.events.case_closed"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (edited(JUDGE_FILE, "import math\n", "import maths\n"), "cannot be loaded"),
        (edited(JUDGE_FILE, '"judge-reads"', '"judge"'), "has no processor"),
        (edited(FLOW_FILE, FIRST, f"import os\n\nos._exit(7)\n{FIRST}"), "exit code 7"),
    ],
)
async def test_a_revision_that_cannot_decide_says_why(
    checkout: Path, edit: Edit, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        await compared(checkout, commit(checkout, edit))


async def test_a_tree_that_lacks_a_room_is_not_mixed_with_this_one(checkout: Path) -> None:
    def without(tree: Path) -> None:
        for path in (tree / "events").glob("*.py"):
            path.unlink()

    with pytest.raises(Refused, match=r"has no genoflow\.events"):
        await compared(checkout, commit(checkout, without))


async def test_no_such_revision(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no-such-thing: is no revision of"):
        await compared(checkout, "no-such-thing")
    with pytest.raises(Refused, match="--upload-pack=x: is no revision of"):
        await compared(checkout, "--upload-pack=x")


async def test_a_decider_that_prints_does_not_disturb_its_answers(checkout: Path) -> None:
    loud = edited("processors/judge_reads.py", "    if not failures:\n",
                  "    print('hello')\n    if not failures:\n")  # fmt: skip
    assert told(await compared(checkout, commit(checkout, loud))) == []


async def test_who_is_interrupted_leaves_nothing_behind(checkout: Path) -> None:
    begun: list[Elsewhere] = []

    async def waiting() -> None:
        async with at_revision(checkout, "HEAD", JUDGE) as teller:
            begun.append(teller)
            await asyncio.Event().wait()

    running = asyncio.create_task(waiting())
    async with asyncio.timeout(60):
        while not begun:
            await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert begun[0]._process.returncode is not None


def test_code_without_a_checkout_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genoflow.deploy.replay import revision

    assert repository() == ROOT
    monkeypatch.setattr(revision, "__file__", "/usr/lib/python/genoflow/deploy/replay/revision.py")
    with pytest.raises(Refused, match="--repository"):
        repository()
