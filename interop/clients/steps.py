"""The steps that every client is led through, and how it reports what they gave.

    steps_CLIENT.py ADDRESS TOPIC

Creates TOPIC with one partition; sends records 0 to 19 with acks=1 and 20 to 39
with acks=all, each with a timestamp; assigns itself partition 0 and reads from
the beginning; looks up offsets by time; deletes TOPIC and lists what is left.
Prints one line of JSON.
"""

import json
import sys
from typing import NamedTuple, Optional

PATIENCE_S = 30
ACKS_1 = range(0, 20)
ACKS_ALL = range(20, 40)
FIRST_TIMESTAMP = 1_700_000_000_000
TIMESTAMP_STEP = 10


def value(number):
    """The value of a record."""
    return b"value-%d" % number


def timestamp(number):
    """The timestamp of a record, in milliseconds."""
    return FIRST_TIMESTAMP + number * TIMESTAMP_STEP


# The first, one between two records, the last, and one behind it.
LOOK_UPS = [timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1]


class Outcome(NamedTuple):
    """What the steps gave."""

    acknowledged: list[int]
    values: list[str]
    # The offset of the first record at or after each of LOOK_UPS; None: there is none.
    found: list[Optional[int]]
    topics_after: list[str]


def run(main):
    """Leads `main(address, topic)` through the steps."""
    outcome = main(*sys.argv[1:])
    print(json.dumps({n.replace("_", " "): v for n, v in outcome._asdict().items()}))
