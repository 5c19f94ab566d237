"""What several commands ask a person in the same words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from genoflow.api.desks import Decided

METADATA_CHARACTERS_MAX = 100_000  # 100 values of 500 characters, with names and quotes

WHO_DECIDES = "who decides; the account that runs this otherwise"
AS = click.option("--as", "person", help=WHO_DECIDES)
DRY_RUN = click.option("--dry-run", is_flag=True, help="check everything, append nothing")
METADATA = click.option(
    "--metadata", "metadata_file", type=click.File("r", encoding="utf-8"),
    help="all metadata of the sample, one JSON object",
)  # fmt: skip
RUN = click.option("--run", "instrument_run_id", help="of an instrument, which read the files")
REASON = click.option("--reason", required=True, help="why, for whoever asks later")
REQUEST_ID = click.option("--request-id", help="of the decision: repeated, it is the same one")
PIPELINES = ("germline", "panel", "somatic", "trio", "rnaseq", "vcf")  # that the package brings


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says with a decision."""

    reason: str
    role: str
    request_id: str | None
    dry_run: bool
    _person: str | None
    _person_option: str

    def decided(self) -> Decided:
        """It, said now by this person."""
        from genoflow.api.desks import Decided
        from genoflow.deploy.people import saying

        says = saying(self._person, datetime.now(UTC), option=self._person_option)
        return Decided(self.reason, self.role, says, self.request_id)


Command = Callable[..., Any]


def deciding(
    role: str,
    *,
    why: str = "why, for whoever asks later",
    person: str = "--as",
    must_say_why: bool = True,
) -> Callable[[Command], Command]:
    """A command by which a person decides; it is given the `decision`.

    `person` names the option that tells who decides, where --as tells something else. A reason
    that is not needed is empty where it is not told.
    """
    person_option = person
    unsaid: dict[str, Any] = {} if must_say_why else {"default": ""}

    def with_options(command: Command) -> Command:
        @click.option("--reason", required=must_say_why, help=why, **unsaid)
        @click.option("--role", default=role, show_default=True, help="in which you decide")
        @click.option(person_option, "person", help=WHO_DECIDES)
        @REQUEST_ID
        @DRY_RUN
        @wraps(command)
        def called(
            reason: str,
            role: str,
            person: str | None,
            request_id: str | None,
            dry_run: bool,
            **others: Any,
        ) -> Any:
            said = Decision(reason, role, request_id, dry_run, person, person_option)
            return command(decision=said, **others)

        return called

    return with_options


def given_metadata(file: TextIO) -> Mapping[str, object]:
    """The metadata in a file; Refused where it holds no JSON object."""
    from genoflow.deploy.metadata_schemas import parsed

    return parsed(file.read(METADATA_CHARACTERS_MAX + 1), METADATA_CHARACTERS_MAX)
