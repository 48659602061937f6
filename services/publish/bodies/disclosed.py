"""A disclosure with its content as the public JSON tells it."""

from typing import NamedTuple

from services.contracts.catalogue import ItemRevision
from services.publish.bodies.out import body_out, editions_out, opinion_out, rfc3339
from services.publish.hot.answers import JSON, Body, body_of_persons
from services.publish.render.disclosure import Opened, Shown, publisher_name
from services.publish.render.due import timing
from services.publish.render.places import Village
from services.publish.render.rows import Publication
from services.publish.schemas import DisclosureBodyOut, DisclosureOut


class Told(NamedTuple):
    """What is told of a disclosure beside its place in a list."""

    village: Village
    revision: ItemRevision | None
    shown: Shown
    content: Opened


def disclosure_body(listed: DisclosureOut, p: Publication, told: Told) -> Body:
    """A disclosure with its content for JSON; persons in it are not for search engines and caches."""
    village, shown, content = told.village, told.shown, told.content
    when = timing(p, shown.duty)
    out = DisclosureBodyOut(
        **listed.model_dump(),
        first_published_at=rfc3339(p.first_published_at),
        due=when.due.isoformat() if when.due is not None else None,
        how_due=when.how,
        reference=shown.duty is not None and when.due is not None and shown.duty.reference,
        was_withdrawn_at=rfc3339(p.was_withdrawn_at) if p.was_withdrawn_at is not None else None,
        restored_at=rfc3339(p.restored_at) if p.restored_at is not None else None,
        restored_reason=p.restored_reason,
        publisher=publisher_name(village, told.revision),
        release=p.release,
        approved_by=village.township.name if p.release == "approve" else None,
        filed_at=rfc3339(p.filed_at) if p.filed_at is not None else None,
        opinions=[opinion_out(o) for o in content.said.opinions],
        note=content.said.note,
        editions=editions_out(listed.url, shown.times),
        body=body_out(content.body),
        checks=list(content.checks),
    )
    text = out.model_dump_json().encode()
    return body_of_persons(text, JSON) if content.of_persons else Body(text, JSON)
