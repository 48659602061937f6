"""A process that never ends by itself, for the test that it is ended."""

import time

if __name__ == "__main__":
    time.sleep(3600)
