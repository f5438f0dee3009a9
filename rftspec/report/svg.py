"""Charts as SVG that a page can hold: cleaned, themed by CSS variables, with a text alternative.

Charts are drawn with stand-in colours (`PAINTS`); inside the page each becomes a CSS variable, so
that one drawing serves light and dark, and in a file of its own it becomes the light colour.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SVG = "http://www.w3.org/2000/svg"
FONTS = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"


class Paint(NamedTuple):
    """A colour of the page: what charts draw with, its CSS variable, its value on white."""

    stand_in: str
    variable: str
    light: str


INK = Paint("#010101", "--ink", "#1d1b18")
SOFT = Paint("#010102", "--soft", "#66615a")
RULE = Paint("#010103", "--rule", "#dfdad1")
PAPER = Paint("#010104", "--paper", "#ffffff")
MODELS = (
    Paint("#0102b0", "--base", "#77716a"),
    Paint("#0102b1", "--tuned", "#0b6e5f"),
    Paint("#0102b2", "--ref-1", "#9a5b0f"),
    Paint("#0102b3", "--ref-2", "#6d4c9f"),
    Paint("#0102b4", "--ref-3", "#2f659c"),
    Paint("#0102b5", "--ref-4", "#a23b57"),
)
PAINTS = (INK, SOFT, RULE, PAPER, *MODELS)

_TAGS = {"svg", "g", "path", "rect", "line", "text", "tspan", "circle", "defs", "clipPath"}
_ATTRIBUTES = {
    "viewBox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "d", "r", "cx", "cy", "fill",
    "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "stroke-opacity", "fill-opacity", "opacity", "transform", "text-anchor", "font-size",
    "font-weight", "font-style", "dx", "dy", "clip-path", "id", "stroke-miterlimit",
}  # fmt: skip


class Alternative(NamedTuple):
    """What a chart says to those who do not see it."""

    title: str
    description: str


def inline(svg: str, name: str, alternative: Alternative) -> str:
    """A chart for the page: colours are CSS variables, ids begin with `name`."""
    root = _clean(svg, name, {p.stand_in: f"var({p.variable})" for p in PAINTS})
    root.attrib.pop("width", None)
    height = root.attrib.pop("height", None)
    if height is not None:
        width = root.get("viewBox", "0 0 600 0").split()[2]
        root.set("style", f"max-width:{float(width):.0f}px")
    _describe(root, name, alternative)
    return ET.tostring(root, encoding="unicode")


def standalone(svg: str, name: str, alternative: Alternative) -> str:
    """A chart for a file of its own, in the light colours on white."""
    root = _clean(svg, name, {p.stand_in: p.light for p in PAINTS})
    root.set("font-family", FONTS)
    _describe(root, name, alternative)
    background = ET.Element(f"{{{SVG}}}rect", {"width": "100%", "height": "100%", "fill": "#fff"})
    root.insert(2, background)
    return ET.tostring(root, encoding="unicode")


def _clean(svg: str, name: str, colours: Mapping[str, str]) -> ET.Element:
    """Keep shapes and their geometry only: no scripts, links, handlers or foreign elements."""
    ET.register_namespace("", SVG)
    root = ET.fromstring(svg)
    _prune(root)
    for element in root.iter():
        kept = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
        if kept.get("class"):
            del kept["class"]
        for key in ("fill", "stroke"):
            if kept.get(key) in colours:
                kept[key] = colours[kept[key]]
        if "id" in kept:
            kept["id"] = f"{name}-{kept['id']}"
        if "clip-path" in kept:
            kept["clip-path"] = re.sub(r"url\(#(\w+)\)", rf"url(#{name}-\1)", kept["clip-path"])
        for key in ("d", "transform"):
            if key in kept:
                kept[key] = re.sub(r"(\.\d{2})\d+", r"\1", kept[key])
        element.attrib.clear()
        element.attrib.update(kept)
    return root


def _prune(element: ET.Element) -> None:
    """Drop children that are no shapes, and drawn nothings: empty groups and backgrounds."""
    for child in list(element):
        _prune(child)
        tag = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        empty = tag == "g" and not len(child)
        nothing = child.get("class") in ("background", "foreground") and not child.get("stroke")
        if tag not in _TAGS or empty or nothing or child.get("display") == "none":
            element.remove(child)


def _describe(root: ET.Element, name: str, alternative: Alternative) -> None:
    """Give the chart its role, title and description, first in reading order."""
    parts: Sequence[tuple[str, str]] = (
        ("title", alternative.title),
        ("desc", alternative.description),
    )
    for position, (tag, text) in enumerate(parts):
        element = ET.Element(f"{{{SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(position, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
