"""Whether what is printed can be read: `python -m tests.codes` measures it, `docs/codes.md` tells it."""
