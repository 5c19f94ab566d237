"""What Batch refuses at a launch: parked or tried again, with its kind in words for people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.events.errors import Parked, Retry
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.adapters.batch_launcher import BatchLauncher, Places
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.ports import Attempt, Deployment, Ports, Urgency
from genoflow.processors.submit_run import launch
from tests.batch_double import BatchDouble, Job, refused, throttled
from tests.faults.outside import FileStore
from tests.run_facts import requested
from tests.spec import heard
from tests.unit.test_collect_results import submission

QUEUES = {one: f"genoflow-{one.value}" for one in Urgency}
REFUSALS: tuple[tuple[Callable[[], Exception], type[Exception], str], ...] = (
    (
        lambda: refused("SubmitJob", "ClientException", "JobQueue genoflow-low is DISABLED", 400),
        Parked, "by its kind infrastructure, queue disabled: The queue that runs wait in has been",
    ),
    (
        lambda: refused(
            "SubmitJob", "AccessDeniedException",
            "User: arn:aws:iam::1:user/w is not authorized to perform: batch:SubmitJob", 403,
        ),
        Parked, "by its kind infrastructure, credentials refused: A service refused the keys",
    ),
    (
        lambda: throttled("SubmitJob"),
        Retry, "by its kind infrastructure, asked too often: A service had more requests than",
    ),
)  # fmt: skip


@pytest.fixture
def batch() -> BatchDouble:
    """A region with our queues and our definition."""
    return BatchDouble(lambda: 0.0, _never, definitions={"genoflow": ("head",)})


def _never(_job: Job, _over: Callable[[int], None]) -> Any:
    raise AssertionError("nothing is begun")


def attempt_at(batch: BatchDouble, folder: Path) -> Attempt:
    """One try of a launch."""
    store = FileStore(folder)
    places = Places(QUEUES, "genoflow", "work")
    launcher = BatchLauncher(batch, batch, store, SystemClock(), places)
    ports = Ports(
        clock=SystemClock(), store=store, launcher=launcher,
        deployment=Deployment(launcher="awsbatch"),
    )  # fmt: skip
    return Attempt(UUID(int=1), 1, ports, lambda *_: None)


@pytest.mark.parametrize(("refusal", "choice", "words"), REFUSALS)
async def test_a_refused_launch_says_whose_hand_mends_it_and_goes_on_afterwards(
    batch: BatchDouble,
    tmp_path: Path,
    refusal: Callable[[], Exception],
    choice: type[Exception],
    words: str,
) -> None:
    def fails(operation: str) -> None:
        if operation == "submit_job":
            raise refusal()

    batch.fault = fails
    batch.step_seconds = 60.0  # a job waits for its host meanwhile
    attempt = attempt_at(batch, tmp_path)
    what = submission(heard(requested(launcher="awsbatch")))
    with pytest.raises(choice) as caught:
        await launch(what, attempt)
    assert words in str(caught.value)
    assert batch.jobs == {}
    batch.fault = lambda _: None
    [said] = await _soon(what, attempt)
    assert isinstance(said, RunSubmitted)
    assert len(batch.jobs) == 1


async def _soon(what: Any, attempt: Attempt) -> list[Any]:
    """The same launch again, where lists are not waited for: none of them lags here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genoflow.processors.adapters.batch_launcher.SETTLE_SECONDS", 0.0)
        return [*await launch(what, attempt)]
