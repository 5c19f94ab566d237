"""Which files a whole run has, in each of the three layouts."""

from __future__ import annotations

import pytest

from genoflow.processors.intake.illumina.base_calls import (
    cut_short,
    cycles_done,
    layout_of,
    missing_of,
)
from genoflow.processors.intake.illumina.instruments import PER_LANE, PER_SURFACE, PER_TILE
from genoflow.processors.intake.illumina.run_info import read_run_info
from tests.sheets import run_info

BASE = "Data/Intensities/BaseCalls"
INFO = read_run_info(run_info(plan=((2, "N"), (1, "Y")), lanes=2, tiles=2, surfaces=2))
FILTERS = {
    f"{BASE}/L00{lane}/s_{lane}_{tile}.filter"
    for lane in (1, 2) for tile in (1101, 1102, 2101, 2102)
}  # fmt: skip
WHOLE = {
    PER_TILE: FILTERS | {
        f"{BASE}/L00{lane}/C{cycle}.1/s_{lane}_{tile}.bcl.gz"
        for lane in (1, 2) for cycle in (1, 2, 3) for tile in (1101, 1102, 2101, 2102)
    },
    PER_LANE: {f"{BASE}/L00{lane}/s_{lane}.filter" for lane in (1, 2)} | {
        f"{BASE}/L00{lane}/000{cycle}.bcl.bgzf" for lane in (1, 2) for cycle in (1, 2, 3)
    },
    PER_SURFACE: FILTERS | {
        f"{BASE}/L00{lane}/C{cycle}.1/L00{lane}_{surface}.cbcl"
        for lane in (1, 2) for cycle in (1, 2, 3) for surface in (1, 2)
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", list(WHOLE))
def test_every_single_file_is_missed(layout: str) -> None:
    files = WHOLE[layout]
    other = next(one for one in WHOLE if one != layout)
    assert list(missing_of(INFO, files, other)) == [], "the folder shows its layout"
    assert layout_of(files) == layout
    assert cycles_done(files) == 3
    for gone in files:
        (told,) = missing_of(INFO, files - {gone}, layout)
        assert gone.startswith(told)


@pytest.mark.parametrize("layout", list(WHOLE))
def test_an_empty_folder_lacks_everything_of_its_models_layout(layout: str) -> None:
    missing = set(missing_of(INFO, (), layout))
    assert len(missing) == len(WHOLE[layout])
    assert layout_of(()) is None
    assert cycles_done(()) is None


def test_what_is_empty_or_shorter_than_the_other_cycles_of_its_tile_is_cut() -> None:
    plain = {path.removesuffix(".gz"): 1_000 for path in WHOLE[PER_TILE]}
    assert list(cut_short(plain)) == []
    first, second = f"{BASE}/L001/C1.1/s_1_1101.bcl", f"{BASE}/L002/C3.1/s_2_2102.bcl"
    other_tile = {path: 7 for path in plain if path.endswith("s_2_1101.bcl")}
    assert sorted(cut_short(plain | other_tile | {first: 999, second: 0})) == [first, second]


@pytest.mark.parametrize("layout", list(WHOLE))
def test_packed_files_may_differ_and_none_may_be_empty(layout: str) -> None:
    sizes = {path: number for number, path in enumerate(sorted(WHOLE[layout]), start=1)}
    assert list(cut_short(sizes)) == []
    for path in sizes:
        assert list(cut_short(sizes | {path: 0})) == [path]
