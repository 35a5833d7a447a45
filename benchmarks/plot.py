"""Bars of what gateways cost, as one SVG without any library. Pure.

The scale is logarithmic: the dearest gateway costs hundreds of times what the cheapest does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .results import Contender

PANELS = (
    ("CPU per request, 64 callers, us", "json-1k", 64),
    ("CPU per 50-chunk stream in one burst, 64 callers, us", "stream-burst", 64),
    ("CPU per 50-chunk stream paced at 20 ms, 64 callers, us", "stream-paced", 64),
)
WIDTH, LABEL, BAR, GAP, TITLE = 860, 170, 18, 6, 30
LOWEST = 1.0
OURS, OTHERS, TEXT = "#2563eb", "#94a3b8", "#64748b"


def svg(contenders: Sequence[Contender]) -> str:
    """Three panels, one below the other; a gateway without a figure has no bar."""
    parts: list[str] = []
    top = 10
    for title, scenario, callers in PANELS:
        found = [(each.name, each.row(scenario, callers)) for each in contenders]
        bars = [(name, float(row["cpu_us"])) for name, row in found if row and row["cpu_us"] > 0]
        parts.append(_text(10, top + 16, title, size=14))
        top += TITLE
        most = max((value for _, value in bars), default=LOWEST * 10)
        for name, value in bars:
            parts.append(_bar(name, value, most, top))
            top += BAR + GAP
        top += 16
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
    head += f'viewBox="0 0 {WIDTH} {top}" font-family="system-ui, sans-serif">'
    return "\n".join([head, *parts, "</svg>", ""])


def length(value: float, most: float) -> float:
    """How long a bar is, from 0 to 1: the place of its value between 1 us and the greatest."""
    if value <= LOWEST or most <= LOWEST:
        return 0.0
    return math.log(value / LOWEST) / math.log(most / LOWEST)


def _bar(name: str, value: float, most: float, top: int) -> str:
    wide = round(length(value, most) * (WIDTH - LABEL - 100), 1)
    colour = OURS if name.startswith("tollgate") else OTHERS
    rect = f'<rect x="{LABEL}" y="{top}" width="{wide}" height="{BAR}" fill="{colour}" rx="2"/>'
    label = _text(10, top + 14, name)
    return label + rect + _text(LABEL + wide + 6, top + 14, f"{value:,.0f}")


def _text(x: float, y: float, text: str, size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{TEXT}">{escape(text)}</text>'
