"""`python -m tests.golden write` makes the golden logs anew; `check` says what has changed."""

from __future__ import annotations

import sys

from tests.golden.logs import changes, path_of, read, replay, rows, write


def main(arguments: list[str]) -> int:
    """Do what the one word says."""
    if arguments == ["write"]:
        for row in rows():
            print(write(row).name)
        return 0
    if arguments == ["check"]:
        found = {
            path_of(row).name: text
            for row in rows()
            if (text := changes(recorded := read(row), replay(row, recorded)))
        }
        for name, text in found.items():
            print(f"{name}\n{text}")
        return 1 if found else 0
    print("usage: python -m tests.golden write | check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
