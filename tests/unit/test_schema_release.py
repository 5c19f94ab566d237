"""Releasing: what is released stays, a refusal names the way out, check finds every fault."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from pydantic import Field, create_model

from genoflow.deploy.commands.schemas import schemas
from genoflow.events import topics
from genoflow.events.catalogue import EVENTS
from genoflow.events.errors import SchemaConflict
from genoflow.events.event import About, Event
from genoflow.events.registry import LOCK_NAME, Registry, file_name, read_editions
from genoflow.events.schema_release import (
    check,
    differences,
    export,
    lock_text,
    read_release,
    schemas_directory,
)
from genoflow.events.schema_rules import Verdict
from genoflow.events.upcasters import UPCASTERS

type_of_field = tuple[Any, Any]
SAMPLE_ID = (str, Field(description="the sample", max_length=9))
LANE = (int, Field(description="the lane"))
LANE_OR_ONE = (int, Field(1, description="the lane"))


def toy(version: str = "1.0", doc: str = "A toy was seen.", **fields: type_of_field) -> type[Event]:
    """A type of event with these fields beside its sample."""

    class Toy(Event):
        about: ClassVar[About] = About(topics=(topics.SAMPLE,), key="sample_id", version=version)

    fields = {"sample_id": SAMPLE_ID, **fields}
    made: Any = create_model
    seen: type[Event] = made("ToySeen", __base__=Toy, __doc__=doc, **fields)
    return seen


def upcast(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "lane": 1}


def edit_lock(directory: Path, change: Any) -> None:
    """Do to the lock what a careless hand would."""
    lock = json.loads((directory / LOCK_NAME).read_text())
    change(lock["editions"])
    (directory / LOCK_NAME).write_text(json.dumps(lock))


def renumber(ids: list[int], rows: list[dict[str, Any]]) -> None:
    for row, number in zip(rows, ids, strict=True):
        row["id"] = number


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A directory in which ToySeen v1.0 is released."""
    export(tmp_path, [toy()], {})
    return tmp_path


def test_the_first_export_writes_schema_and_lock(tmp_path: Path) -> None:
    (added,) = export(tmp_path, [toy()], {})
    assert (added.id, added.type, added.version) == (1, "ToySeen", "1.0")
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK_NAME, "toy_seen.v1.0.avsc"]
    text = (tmp_path / "toy_seen.v1.0.avsc").read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["namespace"] == "genoflow.v1"
    assert read_release(tmp_path) == (added,)
    assert check(tmp_path, [toy()], {}) == []


def test_a_second_export_changes_nothing(release: Path) -> None:
    before = {path.name: path.read_bytes() for path in release.iterdir()}
    assert export(release, [toy()], {}) == ()
    assert {path.name: path.read_bytes() for path in release.iterdir()} == before


def test_mended_words_change_nothing(release: Path) -> None:
    model = toy(doc="A toy was really seen.")
    assert export(release, [model], {}) == ()
    assert check(release, [model], {}) == []
    assert differences([model], read_release(release))[0].verdict is Verdict.NONE


def test_ids_are_only_ever_appended(release: Path) -> None:
    (second,) = export(release, [toy("1.1", lane=LANE_OR_ONE)], {})
    (third,) = export(release, [toy("2.0", lane=LANE)], {("ToySeen", 1): upcast})
    assert (second.id, third.id) == (2, 3)
    lines = (release / LOCK_NAME).read_text().splitlines()
    assert len(lines) == 5  # one edition a line between the brackets
    assert check(release, [toy("2.0", lane=LANE)], {("ToySeen", 1): upcast}) == []


def test_an_export_that_was_cut_off_is_made_good(release: Path) -> None:
    (release / "toy_seen.v1.1.avsc").write_text("{")
    export(release, [toy("1.1", lane=LANE_OR_ONE)], {})
    assert check(release, [toy("1.1", lane=LANE_OR_ONE)], {}) == []


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (toy(lane=LANE_OR_ONE), r"lane: added as long, default 1\); bump the minor to 1\.1"),
        (toy(lane=LANE), r"lane: added as .*\); bump the major to 2\.0 and write an upcaster"),
        (toy(sample_id=(int, Field(description="it"))), r"sample_id: changed from string to long"),
    ],
)
def test_a_change_under_a_released_version_is_refused(
    release: Path, model: type[Event], said: str
) -> None:
    before = {path.name: path.read_bytes() for path in release.iterdir()}
    with pytest.raises(SchemaConflict, match=r"^ToySeen v1\.0 is released and .*" + said):
        export(release, [model], {})
    assert {path.name: path.read_bytes() for path in release.iterdir()} == before
    (problem,) = check(release, [model], {})
    assert "bump the" in problem


def test_a_minor_that_breaks_readers_is_refused(release: Path) -> None:
    with pytest.raises(SchemaConflict, match=r"v1\.1 and v1\.0 cannot read .*lane.*major"):
        export(release, [toy("1.1", lane=LANE)], {})


def test_a_minor_is_compared_with_every_edition_of_its_major(release: Path) -> None:
    export(release, [toy("1.1", lane=LANE_OR_ONE)], {})
    as_text = (str, Field("1", description="the lane"))
    export(release, [toy("1.2")], {})
    with pytest.raises(SchemaConflict, match=r"v1\.3 and v1\.1 cannot read each other \(lane"):
        export(release, [toy("1.3", lane=as_text)], {})


@pytest.mark.parametrize("version", ["1.2", "3.0", "2.1", "0.9"])
def test_a_version_that_does_not_follow_is_refused(release: Path, version: str) -> None:
    with pytest.raises(SchemaConflict, match=r"the next version is 1\.1 or 2\.0"):
        export(release, [toy(version)], {("ToySeen", 1): upcast})


def test_the_first_version_is_1_0(tmp_path: Path) -> None:
    with pytest.raises(SchemaConflict, match=r"the next version is 1\.0"):
        export(tmp_path, [toy("1.1")], {})


def test_a_major_without_an_upcaster_is_refused(release: Path) -> None:
    model = toy("2.0", lane=LANE)
    with pytest.raises(SchemaConflict, match=r"nothing leads from v1 to v2.*\('ToySeen', 1\)"):
        export(release, [model], {})
    (problem,) = check(release, [model], {})
    assert "nothing leads from v1 to v2" in problem
    export(release, [model], {("ToySeen", 1): upcast})
    (problem,) = check(release, [model], {})
    assert "nothing leads from v1 to v2" in problem


def test_an_edited_schema_is_refused(release: Path) -> None:
    path = release / "toy_seen.v1.0.avsc"
    path.write_text(path.read_text().replace("the sample", "a sample"))
    with pytest.raises(SchemaConflict, match=r"^toy_seen\.v1\.0\.avsc: differs from what was rel"):
        export(release, [toy()], {})
    assert len(check(release, [toy()], {})) == 1


def test_a_lost_schema_is_refused(release: Path) -> None:
    (release / "toy_seen.v1.0.avsc").unlink()
    with pytest.raises(SchemaConflict, match=r"is in ids\.lock and not in the directory; take it"):
        export(release, [toy()], {})


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", '{"editions": 1}', '{"editions": [{"id": "1"}]}', '{"editions": [], "x": 1}',
     '{"editions": [{"id": 1, "type": "../Up", "version": "1.0", "sha256": "00"}]}'],
)  # fmt: skip
def test_a_broken_lock_is_refused(release: Path, text: str) -> None:
    (release / LOCK_NAME).write_text(text)
    with pytest.raises(SchemaConflict, match=r"ids\.lock.*take it from the history"):
        export(release, [toy()], {})
    assert len(check(release, [toy()], {})) == 1


def test_a_schema_outside_the_lock_is_found(release: Path) -> None:
    (release / "stray.v1.0.avsc").write_text("{}")
    (problem,) = check(release, [toy()], {})
    assert problem.startswith("stray.v1.0.avsc: is not in ids.lock; remove it")


def test_ids_that_were_reordered_reused_or_skipped_are_found(release: Path) -> None:
    export(release, [toy("1.1", lane=LANE_OR_ONE)], {})
    for wrong in ([2, 1], [1, 1], [1, 3]):
        edit_lock(
            release,
            lambda rows, ids=wrong: [r.update(id=i) for r, i in zip(rows, ids, strict=True)],
        )
        (problem,) = check(release, [toy("1.1", lane=LANE_OR_ONE)], {})
        assert "ids are only ever appended" in problem


def test_an_edition_that_is_listed_twice_is_found(release: Path) -> None:
    edit_lock(release, lambda rows: rows.append({**rows[0], "id": 2}))
    assert any("listed twice" in problem for problem in check(release, [toy()], {}))


def test_editions_that_cannot_read_each_other_are_found(release: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    export(other, [toy(lane=LANE)], {})
    text = (other / "toy_seen.v1.0.avsc").read_text()
    (smuggled,) = read_release(other)
    (release / "toy_seen.v1.1.avsc").write_text(text)
    edit_lock(
        release,
        lambda rows: rows.append(
            {"id": 2, "type": "ToySeen", "version": "1.1", "sha256": smuggled.sha256}
        ),
    )
    problems = check(release, [toy("1.1", lane=LANE)], {})
    assert any("v1.0 and v1.1: lane: readers of the newer" in problem for problem in problems)


def test_a_type_without_a_model_is_found(release: Path) -> None:
    (problem,) = check(release, [], {})
    assert problem.startswith("ToySeen: is released and has no model")


def test_a_model_that_is_not_released_is_found(release: Path) -> None:
    (problem,) = check(release, [toy("1.1", lane=LANE_OR_ONE)], {})
    assert problem == "ToySeen v1.1: is not released; run `genoflow schemas export`"


def test_differences_say_what_a_change_asks_for(release: Path) -> None:
    released = read_release(release)
    (minor,) = differences([toy("1.1", lane=LANE_OR_ONE)], released)
    assert (minor.released, minor.version, minor.verdict) == ("1.0", "1.1", Verdict.MINOR)
    assert [change.path for change in minor.changes] == ["lane"]
    (major,) = differences([toy("2.0", lane=LANE)], released)
    assert major.verdict is Verdict.MAJOR
    (new,) = differences([toy()], ())
    assert (new.released, new.changes, new.verdict) == (None, (), Verdict.MAJOR)


def test_the_committed_release_is_in_order() -> None:
    directory = schemas_directory()
    assert check(directory, EVENTS, UPCASTERS) == []
    assert export(directory, EVENTS, UPCASTERS) == ()
    editions = read_release(directory)
    assert editions == read_editions()
    assert (directory / LOCK_NAME).read_text() == lock_text(editions)
    registry = Registry(editions, EVENTS)
    for model in EVENTS:
        edition = registry.current(model.type())
        assert registry.by_id(edition.id) is edition
        assert (directory / file_name(edition.type, edition.version)).read_text() == edition.text


def committed_lock(commit: str) -> list[dict[str, Any]]:
    """The rows of the lock in a commit; none where there is no such commit or no history."""
    shown = subprocess.run(
        ["git", "show", f"{commit}:./{LOCK_NAME}"],
        cwd=schemas_directory(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    return list(json.loads(shown.stdout)["editions"]) if shown.returncode == 0 else []


@pytest.mark.parametrize("commit", ["HEAD", "HEAD~1"])
def test_nothing_that_was_committed_is_gone_or_changed(commit: str) -> None:
    rows = json.loads((schemas_directory() / LOCK_NAME).read_text())["editions"]
    before = committed_lock(commit)
    assert rows[: len(before)] == before


def test_the_commands_say_what_they_find() -> None:
    runner = CliRunner()
    for arguments, said in (
        (["check"], "all in order"),
        (["diff"], "every model is as it was released"),
        (["export"], "nothing to release"),
        (["catalog", "--check"], ""),
    ):
        result = runner.invoke(schemas, arguments)
        assert result.exit_code == 0, result.output
        assert said in result.output
    rows = json.loads(runner.invoke(schemas, ["diff", "--json"]).output)
    assert {row["verdict"] for row in rows} == {"none"}
    assert len(rows) == len(EVENTS)


def test_check_ends_with_one_line_a_problem(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genoflow.events.schema_release.schemas_directory", lambda: release)
    result = CliRunner().invoke(schemas, ["check"])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == len(EVENTS) + 1
    result = CliRunner().invoke(schemas, ["diff"])
    assert f"{EVENTS[0].__name__}: never released, the model says v1.0: major" in result.output
