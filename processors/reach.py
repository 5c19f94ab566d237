"""Named places in the life of a task. Whoever tests the worker can end or stop it at each."""

from __future__ import annotations

from collections.abc import Callable

Reach = Callable[[str], None]

# In the order in which a task passes them; `reach` is called with each name when it is passed.
POINTS = (
    "gained",
    "before-fence",
    "after-fence",
    "after-restore",
    "before-rebuild",
    "between-rebuild-commits",
    "after-rebuild",
    "before-adopt",
    "after-adopt",
    "before-begin",
    "after-take",
    "before-drain",
    "between-drain-commits",
    "after-drain",
    "before-commit",
    "after-commit",
    "before-open",
    "after-open",
    "effect-begins",
    "effect-done",
    "before-outcome-commit",
    "after-outcome-commit",
    "before-idle-commit",
    "lost",
    "before-close",
    "after-close",
)


def nowhere(_point: str) -> None:
    """Go on: what a worker does in production."""
