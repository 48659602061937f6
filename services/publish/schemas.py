"""HTTP bodies of publish, all of them going out."""

from typing import Any

from pydantic import BaseModel


class PlaceOut(BaseModel):
    """A division's code and name."""

    code: str
    name: str


class VillageOut(BaseModel):
    """A village or community and the township it belongs to."""

    code: str
    name: str
    kind: str
    township: PlaceOut


class DivisionOut(BaseModel):
    """Any division of the tree; `township` is null for the city and the townships themselves."""

    code: str
    name: str
    kind: str
    parent: str | None
    township: PlaceOut | None


class DisclosureOut(BaseModel):
    """What is public of a disclosure, without its content. `version` counts its editions."""

    id: str
    village: str
    item: str
    period: str
    version: int
    state: str
    published_at: str
    title: str
    url: str


class DisclosureBodyOut(DisclosureOut):
    """A disclosure with its content, names masked as the catalogue says."""

    body: dict[str, Any]


class ChangeOut(BaseModel):
    """One thing that villagers could see change; `cursor` continues right behind it."""

    cursor: str
    kind: str
    id: str
    village: str
    item: str
    period: str
    version: int
    changed_at: str


class DutyOut(BaseModel):
    """One cell: what a village owes and how that stands."""

    item: str
    period: str
    due: str
    state: str
    held_by: str | None
    since: str | None
    late_days: int
    disclosure_id: str | None
    waiver: str | None
