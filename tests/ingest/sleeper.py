"""Work that never ends by itself, for the tests that it is ended and that others wait."""

import time


def answer(data: bytes) -> bytes:
    """Sleep for as many seconds as the input says."""
    time.sleep(float(data))
    return data
