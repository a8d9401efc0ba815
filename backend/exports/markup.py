"""XML as editing programs have it: indented, with a document type, and nothing in it that XML cannot hold."""

from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from backend.exports.words import clean


def element(tag: str, *children: "Element | None", text: object = None, **attributes: object) -> Element:
    """An element; children and attributes that are None are left out."""
    values = {name: clean(str(value)) for name, value in attributes.items() if value is not None}
    made = Element(tag, values)
    made.text = None if text is None else clean(str(text))
    made.extend(child for child in children if child is not None)
    return made


def xml(root: Element, doctype: str) -> bytes:
    """The document; its elements are indented in place."""
    ET.indent(root, "  ")
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {doctype}>\n'
    return (head + ET.tostring(root, encoding="unicode") + "\n").encode()
