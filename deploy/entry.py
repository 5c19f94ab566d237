"""The console script: a subscriber's install has it, too, and hears what the command needs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say which extra brings it."""
    try:
        from genoflow.deploy.cli import main as command_line  # noqa: PLC0415 -- it may be absent
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("genoflow"):
            raise
        sys.exit(
            f"genoflow: {error.name} is not installed, which the command needs; "
            f"run `pip install 'genoflow[run]'`, and 'genoflow[local]' for servers of its own"
        )
    command_line()
