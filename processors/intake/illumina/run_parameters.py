"""RunParameters.xml, which every model writes in its own words: instrument, software, chemistry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genoflow.processors.intake.illumina.xml_document import parse, texts

RUN_PARAMETERS = "RunParameters.xml"  # MiSeq and HiSeq write runParameters.xml
NAME_CHARACTERS_MAX = 100  # as an event can hold

# Where the models say the same thing; the first that is there counts.
APPLICATION = ("applicationname", "application")
SOFTWARE_VERSION = ("applicationversion", "mcsversion", "systemsuiteversion", "softwareversion")
INSTRUMENT_TYPE = ("instrumenttype",)
CHEMISTRY = ("chemistry", "flowcelltype", "recipename", "flowcellmode")
CONSUMABLE = ("sbsconsumableversion",)


@dataclass(frozen=True, slots=True)
class RunParameters:
    """What RunParameters.xml says, as far as anybody asks for it."""

    application: str | None = None
    software_version: str | None = None
    instrument_type: str | None = None
    chemistry: str | None = None
    consumable: str | None = None  # NovaSeq 6000: 1 is v1.0, 3 is v1.5

    @property
    def control_software(self) -> str | None:
        """Name and version in one text."""
        said = " ".join(text for text in (self.application, self.software_version) if text)
        return said[:NAME_CHARACTERS_MAX] or None


def read_run_parameters(data: bytes) -> RunParameters:
    """What the file says; Refused where it is no XML. What it leaves out is None."""
    said = texts(parse(data, RUN_PARAMETERS))
    return RunParameters(
        application=_first(said, APPLICATION),
        software_version=_first(said, SOFTWARE_VERSION),
        instrument_type=_first(said, INSTRUMENT_TYPE),
        chemistry=_first(said, CHEMISTRY),
        consumable=_first(said, CONSUMABLE),
    )


def _first(said: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((said[name][:NAME_CHARACTERS_MAX] for name in names if name in said), None)
