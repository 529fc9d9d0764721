"""What the programs of all Python clients share.

    CLIENT.py ADDRESS FEATURE PREFIX

A program defines one function per feature and calls `run(globals())`. A function returns a
remark or nothing, raises `Lacking` when the client has no such feature, and fails otherwise.
The features are described in `README.md`.
"""

import sys
import time
import traceback

PATIENCE_S = 50
FIRST_TIMESTAMP = 1_700_000_000_000
TIMESTAMP_STEP = 10


class Lacking(Exception):
    """The client has no such feature."""


def run(features):
    """Runs the feature that the command line names."""
    address, feature, prefix = sys.argv[1:]
    function = features.get(feature.replace("-", "_"))
    if function is None:
        print("not in this program")
        sys.exit(3)
    try:
        remark = function(address, prefix)
    except Lacking as lacking:
        print(lacking)
        sys.exit(3)
    except Exception:  # The runner prints it.
        traceback.print_exc()
        sys.exit(1)
    print(remark or "")


def expect(what, got, expected):
    """Fails unless both are equal."""
    if got != expected:
        raise AssertionError(f"{what}: expected {shorten(expected)}, got {shorten(got)}")


def until(what, look, every=0.0):
    """What `look` returns once it returns something, or fails after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE_S} s")
        time.sleep(every)


def timestamp(number):
    """The timestamp of a record, in milliseconds."""
    return FIRST_TIMESTAMP + number * TIMESTAMP_STEP


def shorten(value):
    """A value as text, not too long."""
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}… ({len(text)} characters)"
