"""The formats there are. A new one is a file with an `Exporter` and a line here."""

from backend.errors import UnknownName
from backend.exports import clips, edl, fcp7, fcpxml, list_json, otio, sheet, table
from backend.exports.base import Exporter

EXPORTERS: dict[str, Exporter] = {
    "json": list_json.EXPORTER,
    "csv": table.EXPORTER,
    "edl": edl.EXPORTER,
    "fcpxml": fcpxml.EXPORTER,
    "fcp7": fcp7.EXPORTER,
    "otio": otio.EXPORTER,
    "html": sheet.EXPORTER,
    "clips": clips.EXPORTER,
}


def exporter_named(name: str) -> Exporter:
    """The format of this name; raises UnknownName with the list of known ones."""
    if name not in EXPORTERS:
        raise UnknownName("format", name, EXPORTERS)
    return EXPORTERS[name]
