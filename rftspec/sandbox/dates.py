"""The facade of `datetime`: dates that a script parses and computes with; never the present.

`now`, `today` and `utcnow` are missing, for a reward is a function of sample and item. The local
time zone of a worker is UTC.
"""

from __future__ import annotations

import _strptime  # type: ignore[import-not-found,unused-ignore]  # noqa: F401 - parsing needs it
import datetime as _dates
from typing import Any

from rftspec.sandbox import limits

MAX_FORMAT = 200


def strptime(text: str, layout: str) -> _dates.datetime:
    """`datetime.strptime`, formats of at most 200 characters."""
    return _dates.datetime.strptime(text, _layout(layout))


def strftime(value: Any, layout: str) -> str:
    """`strftime` of a date, a time or both, formats of at most 200 characters."""
    return str(value.strftime(_layout(layout)))


def from_timestamp(seconds: float, tz: _dates.timezone | None = None) -> _dates.datetime:
    """`datetime.fromtimestamp`; the local time zone is UTC."""
    if tz is None:
        return _dates.datetime.fromtimestamp(seconds, _dates.UTC).replace(tzinfo=None)
    return _dates.datetime.fromtimestamp(seconds, tz)


def timestamp(value: _dates.datetime) -> float:
    """`datetime.timestamp`; the local time zone is UTC."""
    aware = value if value.tzinfo is not None else value.replace(tzinfo=_dates.UTC)
    return aware.timestamp()


def as_time_zone(value: _dates.datetime, tz: _dates.timezone = _dates.UTC) -> _dates.datetime:
    """`datetime.astimezone`; the local time zone is UTC."""
    aware = value if value.tzinfo is not None else value.replace(tzinfo=_dates.UTC)
    return aware.astimezone(tz)


def _layout(layout: str) -> str:
    if type(layout) is not str:
        raise TypeError("a date's format is text")
    if len(layout) > MAX_FORMAT:
        raise limits.LimitExceeded(f"a date's format of over {MAX_FORMAT} characters")
    return layout


FACADES: dict[str, dict[str, Any]] = {
    "datetime": {
        "date": _dates.date,
        "datetime": _dates.datetime,
        "time": _dates.time,
        "timedelta": _dates.timedelta,
        "timezone": _dates.timezone,
        "UTC": _dates.UTC,
        "MINYEAR": _dates.MINYEAR,
        "MAXYEAR": _dates.MAXYEAR,
    }
}
"""What `import datetime` gives."""

_DATE = "ctime day isocalendar isoformat isoweekday month replace toordinal weekday year"
_CLOCK = "fold hour microsecond minute second tzinfo dst tzname utcoffset isoformat replace"

ATTRIBUTES: dict[type, dict[str, Any]] = {
    _dates.date: limits.table(_DATE, strftime=strftime),
    _dates.time: limits.table(_CLOCK, strftime=strftime),
    _dates.datetime: limits.table(
        f"{_DATE} {_CLOCK} date time timetz",
        strftime=strftime,
        timestamp=timestamp,
        astimezone=as_time_zone,
    ),
    _dates.timedelta: limits.table("days microseconds seconds total_seconds"),
    _dates.timezone: limits.table("tzname utcoffset"),
    type(_dates.date.min.isocalendar()): limits.table("week weekday year"),
}

CLASS_ATTRIBUTES: dict[type, dict[str, Any]] = {
    _dates.date: limits.table("fromisocalendar fromisoformat fromordinal max min"),
    _dates.time: limits.table("fromisoformat max min"),
    _dates.datetime: limits.table(
        "combine fromisocalendar fromisoformat fromordinal max min",
        strptime=strptime,
        fromtimestamp=from_timestamp,
    ),
    _dates.timedelta: limits.table("max min resolution"),
    _dates.timezone: limits.table("utc"),
}

EXCEPTIONS: tuple[type[BaseException], ...] = ()
