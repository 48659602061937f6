"""Values of the read model as the public JSON tells them."""

import json
from datetime import datetime

from services.contracts.disclosure import Opinion
from services.publish.hot.answers import PROBLEM, Body, body_of_nothing
from services.publish.render.places import Village
from services.publish.render.rows import Publication
from services.publish.schemas import OpinionOut, PlaceOut, VillageOut


def rfc3339(moment: datetime) -> str:
    """A moment for JSON, in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def opinion_out(of: Opinion) -> OpinionOut:
    """One party's word for JSON."""
    return OpinionOut(
        party=of.party,
        names=list(of.names),
        opinion=of.opinion,
        reason=of.reason,
        at=rfc3339(of.at),
        sheet=of.sheet is not None,
    )


def village_out(village: Village) -> VillageOut:
    """A village for JSON."""
    township = PlaceOut(code=village.township.code, name=village.township.name)
    return VillageOut(code=village.code, name=village.name, kind=village.kind.value, township=township)


def gone(p: Publication, path: str) -> Body:
    """What is left of a withdrawn disclosure, for JSON."""
    problem = {
        "type": "about:blank",
        "title": "这条公开内容已撤回。",
        "status": 410,
        "code": "withdrawn",
        "detail": f"这条公开内容已撤回。原因：{p.reason}" if p.reason else "这条公开内容已撤回。",
        "instance": path,
        "reason": p.reason,
        "withdrawn_at": rfc3339(p.withdrawn_at) if p.withdrawn_at is not None else None,
    }
    return body_of_nothing(json.dumps(problem, ensure_ascii=False).encode(), PROBLEM)
