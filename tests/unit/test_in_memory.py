"""Where servers of tests keep their data: in memory where there is room, and nothing is left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import in_memory

GIB = 1024**2  # of the kilobytes in which the kernel tells it


def meminfo(folder: Path, available_gib: int) -> Path:
    """What a kernel says that has so much."""
    path = folder / "meminfo"
    path.write_text(
        f"MemTotal: {64 * GIB} kB\nMemFree: 1 kB\nMemAvailable: {available_gib * GIB} kB\n",
        encoding="ascii",
    )
    return path


@pytest.mark.parametrize(
    ("free_gib", "available_gib", "room"), [(6, 6, True), (5, 60, False), (60, 5, False)]
)
def test_room_is_what_the_folder_and_the_kernel_have_to_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gib: int, available_gib: int, room: bool
) -> None:
    monkeypatch.setattr(os, "setxattr", lambda *_: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free_gib * 1024**3))
    assert in_memory.has_room(tmp_path, meminfo(tmp_path, available_gib)) is room
    assert [one.name for one in tmp_path.iterdir()] == ["meminfo"]


def test_a_folder_without_attributes_or_none_at_all_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not in_memory.has_room(tmp_path / "none", meminfo(tmp_path, 60))

    def refused(*_: object) -> None:
        raise OSError("Operation not supported")

    monkeypatch.setattr(os, "setxattr", refused)
    assert not in_memory.has_room(tmp_path, meminfo(tmp_path, 60))


def test_what_killed_tests_left_is_removed_and_of_the_living_nothing(tmp_path: Path) -> None:
    dead = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(dead, 0)
    gone, kept = (tmp_path / f"{in_memory.PREFIX}{pid}-1" for pid in (dead, os.getpid()))
    other = tmp_path / "of-another-program"
    for one in (gone, kept, other):
        one.mkdir()
        (one / "data").touch()
    in_memory.forget_the_dead(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([kept, other])


def test_a_folder_is_gone_behind_its_block_and_another_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "MEMORY", tmp_path)
    for has_room in (True, False):
        monkeypatch.setattr(in_memory, "has_room", lambda has_room=has_room: has_room)
        with in_memory.folder(tmp_path / "otherwise") as found:
            assert (found == tmp_path / "otherwise") is not has_room
            if has_room:
                (found / "data").touch()
        assert list(tmp_path.iterdir()) == []
