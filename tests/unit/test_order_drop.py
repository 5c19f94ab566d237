"""Files of orders in a directory: read when they are whole, moved where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.deploy.order_drop import look, put_away, text_of
from genoflow.events.errors import Refused, Stop


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_a_file_is_whole_when_it_looks_the_same_twice(tmp_path: Path) -> None:
    first, growing = tmp_path / "a.json", tmp_path / "b.CSV"
    first.write_text("{}")
    growing.write_text("case_id")
    seen = look(tmp_path, {})
    assert seen.whole == ()
    growing.write_text("case_id,kind")
    seen = look(tmp_path, seen.shapes)
    assert names(seen.whole) == ["a.json"]
    assert names(look(tmp_path, seen.shapes).whole) == ["a.json", "b.CSV"]


def test_what_is_no_file_of_orders_is_left_alone(tmp_path: Path) -> None:
    for name in (".a.json", "a.json.part", "notes.txt"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "notes.txt")
    assert look(tmp_path, {}).shapes == {}


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"gone: cannot be looked at \(No such file"):
        look(tmp_path / "gone", {})


def test_a_name_that_comes_again_overwrites_nothing(tmp_path: Path) -> None:
    for content in ("one", "two", "three"):
        (tmp_path / "a.json").write_text(content)
        put_away(tmp_path / "a.json", "no order" if content == "three" else None)
    assert (tmp_path / "done" / "a.json").read_text() == "one"
    assert (tmp_path / "done" / "a.2.json").read_text() == "two"
    assert (tmp_path / "refused" / "a.json.reason.txt").read_text() == "no order\n"
    assert not (tmp_path / "a.json").exists()


def test_what_cannot_be_moved_stops_before_it_is_placed_for_ever(tmp_path: Path) -> None:
    (tmp_path / "done").write_text("in the way")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(Stop, match=r"cannot be moved to .*done .*start again"):
        put_away(tmp_path / "a.json")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match=r"a\.csv: is not UTF-8 .*save it as UTF-8"):
        text_of(tmp_path / "a.csv")
