"""A long access log, made of a short one."""

import datetime
import ipaddress
import re
import sys

LINE = re.compile(rb"([0-9a-f.:]+) [^\[]* \[(\d\d/[A-Z][a-z]{2}/\d{4}):(\d\d:\d\d:\d\d) \+0000\] ")
DAY = "%d/%b/%Y"


def day_of(line):
    """The day of a line as text and as a date; None if it does not begin with an address and
    a time in UTC that there is."""
    match = LINE.match(line)
    if not match:
        return None
    address, text, time_of_day = (part.decode() for part in match.groups())
    try:
        ipaddress.ip_address(address)
        date = datetime.datetime.strptime(f"{text} {time_of_day}", f"{DAY} %H:%M:%S").date()
    except ValueError:
        return None
    return match.group(2), date


def repeat(sample, log, lines):
    """Writes so many lines, or a few more to make the last repetition whole; returns how many."""
    read = [(line, day_of(line)) for line in sample.read_bytes().splitlines(True)]
    kept = [(line, *day) for line, day in read if day]
    if not kept:
        sys.exit(f"{sample}: no line with an address and a time in UTC")
    dates = [date for _, _, date in kept]
    span = (max(dates) - min(dates)).days + 1
    # Pieces of text, and the date behind each of them.
    pieces, after = [b""], []
    for line, text, date in kept:
        head, tail = line.split(b"[" + text, 1)
        pieces[-1] += head + b"["
        after.append(date)
        pieces.append(tail)
    repetitions = -(-lines // len(kept))
    with open(log, "wb") as out:
        for number in range(repetitions):
            shift = datetime.timedelta(days=number * span)
            shifted = {date: (date + shift).strftime(DAY).encode() for date in set(after)}
            for piece, date in zip(pieces, after):
                out.write(piece)
                out.write(shifted[date])
            out.write(pieces[-1])
    return repetitions * len(kept)
