"""What all of the sample is made with: the seed, made-up people, days within a period; the same for the same dice."""

import random
from datetime import date, timedelta
from typing import Final

from services.contracts.values import period_bounds

SEED: Final = "gaizhou-1"
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
_GIVEN: Final = "国建志文德永春福海玉秀英兰芳军勇"


def person(dice: random.Random) -> str:
    """A name of three characters."""
    return dice.choice(_SURNAMES) + "".join(dice.sample(_GIVEN, 2))


def day_in(dice: random.Random, period: str) -> date:
    """Some day of a period."""
    first, last = period_bounds(period)
    return first + timedelta(days=dice.randint(0, (last - first).days))
