"""What an Illumina run folder shows: the run, its sheet, its end, and what it lacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import translate

from genoflow.events.errors import Refused
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.intake.illumina.attach import attach
from genoflow.processors.intake.illumina.base_calls import cut_short, cycles_done, missing_of
from genoflow.processors.intake.illumina.instruments import (
    COMPLETION_STATUS,
    ENDED_EARLY,
    GOOD,
    Instrument,
    instrument_of,
)
from genoflow.processors.intake.illumina.orientation import i5_is_read_reversed
from genoflow.processors.intake.illumina.rows import Person
from genoflow.processors.intake.illumina.run_info import RUN_INFO, RunInfo, read_run_info
from genoflow.processors.intake.illumina.run_parameters import (
    RUN_PARAMETERS,
    RunParameters,
    read_run_parameters,
)
from genoflow.processors.intake.illumina.xml_document import parse, texts
from genoflow.processors.intake.run_folders import Ending, Failure, Look, SheetShown, Shown

PLATFORM = "illumina"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLE_SHEET = "SampleSheet.csv"
DOCUMENTS = frozenset(
    name.casefold() for name in (RUN_INFO, RUN_PARAMETERS, SAMPLE_SHEET, COMPLETION_STATUS)
)
# RunParameters decide the model and the chemistry, and are written within seconds of RunInfo.
PARAMETERS_PATIENCE = timedelta(minutes=10)
STATUS_CHARACTERS_MAX = 100
ERROR_CHARACTERS_MAX = 500
# What instruments and shares write beside a run, some of it hours after the marker: analyses,
# reads that were made on the instrument, logs, pictures, and the litter of file shares. The sheet
# is here because it may be amended; its rows and its checksum stand on the log.
NOT_OF_THE_RUN = (
    "Analysis/*", "*/Alignment*/*", "Alignment*/*", "*.fastq.gz", "Logs/*", "*Logs/*",
    "Thumbnail_Images/*", "Images/*", "CompletedJobInfo.xml", "GenerateFASTQRunStatistics.xml",
    "QueuedForAnalysis.txt", "SampleSheet*.csv", "samplesheet*.csv", ".*", "*/.*", "Thumbs.db",
    "*/Thumbs.db",
)  # fmt: skip
LEFT_OUT = re.compile("|".join(map(translate, NOT_OF_THE_RUN)))


class Illumina:
    """The vendor; it is told what looks like an identifier of a person."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def is_run(self, names: Sequence[str]) -> bool:
        """A folder with RunInfo.xml is one."""
        return any(name.casefold() == RUN_INFO.casefold() for name in names)

    def is_document(self, path: str) -> bool:
        """The four files that are read, all at the first level."""
        return path.casefold() in DOCUMENTS

    def read(self, look: Look) -> Shown:
        """What the folder shows, as far as its RunInfo can be read."""
        files = {path: seen for path, seen in look.files.items() if of_the_run(path)}
        newest = max((seen.modified_ns for seen in files.values()), default=0)
        bare = Shown(look.name, look.uri, look.at, _time(newest), files)
        if look.unreadable is not None:
            return _unreadable(bare, look.unreadable)
        try:
            info = read_run_info(_document(look, RUN_INFO) or b"")
            parameters = self._parameters(look)
            instrument = instrument_of(info, parameters)
            started = _started(look, info, instrument, parameters)
        except Refused as error:
            return _unreadable(bare, str(error))
        status = _status(look)
        ending = _ending(look, instrument, status)
        return Shown(
            look.name, look.uri, look.at, bare.changed_at, files,
            started=started,
            started_at=_modified(look, RUN_INFO),
            sheet=self._sheet(look, info, instrument),
            ending=ending,
            failure=_failure(look, status, ending),
            missing=_missing(look, info, instrument, status) if ending else (),
        )  # fmt: skip

    def _parameters(self, look: Look) -> RunParameters | None:
        data = _document(look, RUN_PARAMETERS)
        if data is not None:
            return read_run_parameters(data)
        if look.at - _modified(look, RUN_INFO) < PARAMETERS_PATIENCE:
            raise Refused(f"{RUN_PARAMETERS}: is not there yet; wait until it is copied")
        return None

    def _sheet(self, look: Look, info: RunInfo, instrument: Instrument) -> SheetShown | None:
        data = _document(look, SAMPLE_SHEET)
        if data is None:
            return None
        found = attach(data, info, instrument, self._person)
        uri = f"{look.uri}/{SAMPLE_SHEET}"
        return SheetShown(
            found.sha256, uri, _modified(look, SAMPLE_SHEET), found.fields, found.problems
        )


def of_the_run(path: str) -> bool:
    """Whether a file is the instrument's own data, which is compared and copied."""
    return LEFT_OUT.match(path) is None


def _unreadable(bare: Shown, why: str) -> Shown:
    return Shown(
        bare.name, bare.uri, bare.at, bare.changed_at, bare.files, unreadable=why
    )  # fmt: skip


def _started(
    look: Look, info: RunInfo, instrument: Instrument, parameters: RunParameters | None
) -> SequencingRunStarted:
    said = parameters or RunParameters()
    indexes = [read.number for read in info.reads if read.is_index]
    i5 = indexes[1] if len(indexes) > 1 else None
    reversed_i5 = i5_is_read_reversed(info, instrument)
    reads = tuple(
        ReadCycles(
            number=read.number,
            cycles=read.cycles,
            is_index=read.is_index,
            is_reverse_complemented=reversed_i5 if read.number == i5 else bool(read.is_reversed),
        )
        for read in info.reads
    )
    return SequencingRunStarted(
        instrument_run_id=info.run_id, instrument_id=info.instrument_id,
        instrument_model=instrument.model, platform=PLATFORM, run_number=info.run_number,
        flow_cell_id=info.flow_cell_id, lanes=info.lanes, reads=reads, run_folder=look.uri,
        run_info_sha256=hashlib.sha256(_document(look, RUN_INFO) or b"").hexdigest(),
        control_software=said.control_software, chemistry=said.chemistry,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Status:
    text: str
    error: str
    cycles: int | None


def _status(look: Look) -> _Status | None:
    """What RunCompletionStatus says; None where there is none, or only a part of it."""
    data = _document(look, COMPLETION_STATUS)
    if data is None:
        return None
    try:
        said = texts(parse(data, COMPLETION_STATUS))
    except Refused:
        return None  # half of it is copied: it is missing until it can be read
    text = said.get("completionstatus") or said.get("runstatus")
    if text is None:
        return None
    error = said.get("errordescription") or said.get("message") or ""
    cycles = said.get("numbercyclescompleted", "")
    done = int(cycles) if cycles.isascii() and cycles.isdecimal() and len(cycles) < 6 else None
    return _Status(
        text[:STATUS_CHARACTERS_MAX],
        "" if error.casefold() == "none" else error[:ERROR_CHARACTERS_MAX],
        done,
    )


def _ending(look: Look, instrument: Instrument, status: _Status | None) -> Ending | None:
    if instrument.marker not in look.files:
        return None
    return Ending(
        instrument.marker,
        _modified(look, instrument.marker),
        status.text if status else None,
        _cycles(look, status),
    )


def _cycles(look: Look, status: _Status | None) -> int | None:
    done = status.cycles if status else None
    return cycles_done(look.files) if done is None else done


def _failure(look: Look, status: _Status | None, ending: Ending | None) -> Failure | None:
    plain = "".join(c for c in status.text.casefold() if c.isalpha()) if status else ""
    if status is None or plain in GOOD:
        return None
    early = plain in ENDED_EARLY
    error = f" ({status.error})" if status.error else ""
    return Failure(
        reason_code="stopped early" if early else "instrument reported failure",
        reason=(
            f"{COMPLETION_STATUS} says {status.text}{error}; nothing of this run goes on by "
            f"itself: see the instrument's own log, and sequence the libraries again"
        ),
        at=_modified(look, COMPLETION_STATUS),
        completion_status=status.text,
        marker=ending.marker if ending else None,
        cycles_done=_cycles(look, status),
    )


def _missing(
    look: Look, info: RunInfo, instrument: Instrument, status: _Status | None
) -> tuple[str, ...]:
    missing = list(missing_of(info, look.files.keys(), instrument.base_calls))
    sizes = {path: seen.size_bytes for path, seen in look.files.items()}
    missing += [f"{path} (cut short)" for path in cut_short(sizes)]
    if status is None and (instrument.writes_status or _path(look, COMPLETION_STATUS)):
        missing.insert(0, COMPLETION_STATUS)
    return tuple(missing)


def _path(look: Look, name: str) -> str | None:
    """The file of this name at the first level, in whichever case it is written."""
    if name in look.files:
        return name
    folded = name.casefold()
    return next((path for path in look.documents if path.casefold() == folded), None)


def _document(look: Look, name: str) -> bytes | None:
    path = _path(look, name)
    return None if path is None else look.documents.get(path)


def _modified(look: Look, name: str) -> datetime:
    path = _path(look, name)
    return _time(look.files[path].modified_ns if path else 0)


def _time(modified_ns: int) -> datetime:
    # To the microsecond, as an event holds it: a float would round the same time differently.
    return EPOCH + timedelta(microseconds=modified_ns // 1_000)
