"""An XML file of an instrument: parsed without entities, asked by the names of its elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from genoflow.events.errors import Refused

XML_BYTES_MAX = 8 * 1024**2  # a NovaSeq's RunInfo lists 5,632 tiles in 130 kB


def parse(data: bytes, name: str) -> ElementTree.Element:
    """The root of a document; Refused where it is no XML, too large, or brings a DTD."""
    if len(data) > XML_BYTES_MAX:
        raise Refused(
            f"{name}: has {len(data):,} bytes and may have {XML_BYTES_MAX:,}; "
            f"put the instrument's own file there"
        )

    def refuse(*_: Any) -> NoReturn:
        # Entities that name one another turn a kilobyte into gigabytes.
        raise Refused(
            f"{name}: declares a document type, which no instrument writes; "
            f"put the instrument's own file there"
        )

    try:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        parser.Parse(data, True)
        return ElementTree.fromstring(data)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise Refused(
            f"{name}: is no whole XML document ({error}); wait until it is copied, "
            f"or copy it again from the instrument"
        ) from error


def texts(root: ElementTree.Element) -> Mapping[str, str]:
    """The first text of each element by its name in lower case, wherever it stands."""
    found: dict[str, str] = {}
    for element in root.iter():
        text = (element.text or "").strip()
        if text:
            found.setdefault(local_name(element), text)
    return found


def local_name(element: ElementTree.Element) -> str:
    """The element's name in lower case, without its name space."""
    return str(element.tag).rpartition("}")[2].lower()


def attributes(element: ElementTree.Element) -> Mapping[str, str]:
    """Its attributes by their names in lower case."""
    return {name.lower(): value.strip() for name, value in element.attrib.items()}
