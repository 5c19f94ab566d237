"""How a worker ends: what its exit code says, and how it leaves when it is in doubt."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from genoflow.events.errors import GenoflowError

EXIT_DRAINED = 0
EXIT_LASTING = 1
EXIT_UNFORESEEN = 70  # EX_SOFTWARE of sysexits.h
EXIT_PASSING = 75  # EX_TEMPFAIL of sysexits.h

_log = logging.getLogger("genoflow.work")


def leave(error: BaseException, passing: tuple[type[BaseException], ...]) -> NoReturn:
    """End the process now: clients in doubt may hang when they are closed."""
    if isinstance(error, passing):
        _log.warning("left, start it again: %s", error)
        code = EXIT_PASSING
    elif isinstance(error, GenoflowError):
        print(f"genoflow: {error}", file=sys.stderr)  # noqa: T201 -- as every command says it
        code = EXIT_LASTING
    else:
        _log.error("left after an error that nobody foresaw", exc_info=error)
        code = EXIT_UNFORESEEN
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
