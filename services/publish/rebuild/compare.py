"""Two read models, village by village."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.publish.store.read_model import TableDigest


@dataclass(frozen=True, slots=True)
class Difference:
    """A table in which two models do not hold the same of a village."""

    village: str
    table: str
    serving_rows: int
    built_rows: int

    def sentence(self) -> str:
        """For the operator."""
        where = self.village or "no village"
        if self.serving_rows == self.built_rows:
            return f"{where}: {self.table} has {self.built_rows} rows in both, and not the same ones"
        return (
            f"{where}: {self.table} has {self.serving_rows} rows in the serving model and {self.built_rows} in the new"
        )


def differences(serving: Sequence[TableDigest], built: Sequence[TableDigest]) -> list[Difference]:
    """Where two models differ, by village and table."""
    one, other = {(d.village, d.table): d for d in serving}, {(d.village, d.table): d for d in built}
    found = []
    for place in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(place), other.get(place)
        if mine is None or theirs is None or (mine.rows, mine.digest) != (theirs.rows, theirs.digest):
            found.append(Difference(*place, mine.rows if mine else 0, theirs.rows if theirs else 0))
    return found


def by_village(digests: Iterable[TableDigest]) -> Mapping[str, str]:
    """One digest a village over all its tables."""
    texts: dict[str, list[str]] = defaultdict(list)
    for d in digests:
        texts[d.village].append(f"{d.table}:{d.rows}:{d.digest}")
    return {v: hashlib.sha256("\n".join(sorted(t)).encode()).hexdigest() for v, t in sorted(texts.items())}


def rows_by_table(digests: Iterable[TableDigest]) -> Mapping[str, int]:
    """How many rows each table has."""
    counts: dict[str, int] = defaultdict(int)
    for d in digests:
        counts[d.table] += d.rows
    return dict(sorted(counts.items()))
