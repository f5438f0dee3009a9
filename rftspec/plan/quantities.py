"""Quantities as a person reads them: bytes, seconds, shares."""

from __future__ import annotations


def bytes_told(count: float) -> str:
    """`812 MB`, `1.4 GB`: powers of ten, as makers of memory and disks count."""
    if count >= 1e9:
        return f"{count / 1e9:,.1f} GB"
    if count >= 1e6:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e3:.0f} kB"


def seconds_told(seconds: float) -> str:
    """`8 s`, `3 m 10 s`, `1 h 50 m`, `2 d 4 h`: two units at most."""
    whole = max(0, round(seconds))
    if not whole and seconds > 0:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(round(whole / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} m"
    return f"{hours // 24} d {hours % 24} h"


def percent(share: float) -> str:
    """`17 %`, `1.2 %`; one digit after the point below ten."""
    value = 100 * share
    return f"{value:.0f} %" if abs(value) >= 9.95 or value == 0 else f"{value:.1f} %"


def signed(share: float) -> str:
    """`+12 %`, `−14 %`."""
    return f"{'−' if share < 0 else '+'}{percent(abs(share))}"
