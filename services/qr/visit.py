"""What routes of qr work with."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from services.kit import visit
from services.kit.clock import Clock
from services.kit.db import Database
from services.kit.rates import Rate, scans
from services.kit.reference import Reference
from services.kit.runtime import Runtime
from services.qr.memory import CodesInMemory, ScansInMemory
from services.qr.settings import QrSettings


@dataclass(frozen=True, slots=True)
class Own:
    """What qr holds while a process lives."""

    codes: CodesInMemory
    scans: Rate
    counted: ScansInMemory
    #: One print run at a time is drawn.
    printer: asyncio.Lock


def make_own(_settings: QrSettings, database: Database, _clock: Clock, _reference: Reference) -> Own:
    """Begin with no codes in memory."""
    return Own(CodesInMemory(database), scans(), ScansInMemory(database), asyncio.Lock())


QrRuntime = Runtime[QrSettings, Own]


class Reading(visit.Reading[QrSettings, Own]):
    """Somebody of the staff who looks."""


class Changing(Reading, visit.Changing[QrSettings, Own]):
    """Somebody of the staff who changes codes, or takes their pictures away."""


class Caller(visit.Caller[QrSettings, Own]):
    """Somebody of the staff whose posters take seconds to draw."""


class Visit(visit.Visit[QrSettings, Own]):
    """Somebody with a phone, who is never asked anything."""


ReadingDep = Annotated[Reading, visit.reading_dep(Reading)]
ChangingDep = Annotated[Changing, visit.changing_dep(Changing)]
CallerDep = Annotated[Caller, visit.caller_dep(Caller)]
VisitDep = Annotated[Visit, visit.visit_dep(Visit)]
