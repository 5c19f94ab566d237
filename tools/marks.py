"""Pages that are partly written by a program: what stands between two marks is made anew."""

from __future__ import annotations

from pathlib import Path


def between(page: str, path: Path, begin: str, end: str, made: str) -> str:
    """The page of this path with what was made in place of what its marks enclose."""
    before, _, rest = page.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"{path.name}: the marks {begin} and {end} are missing; put them back")
    return before + made + after
