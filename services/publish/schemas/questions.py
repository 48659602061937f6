"""HTTP bodies of questions: asked, followed, joined."""

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.catalogue import JointThen
from services.contracts.question import Paper, QuestionKind, Shows
from services.kit.examples import read_examples

example = read_examples(__file__)


class QuestionIn(BaseModel, json_schema_extra=example("QuestionIn")):
    """A question as somebody asks it."""

    model_config = ConfigDict(extra="forbid")

    about: str = Field(
        max_length=80,
        description=(
            "what it is about: a village's 12 digits, `village/item/period` of a cell, a disclosure's id, `id/version`, or "
            "`id/version/line` of one line of a ledger"
        ),
    )
    kind: QuestionKind = Field(
        default=QuestionKind.DOUBT,
        description="`doubt` asks, `paper` wants to see a paper, `missing` says one is missing",
    )
    text: str = Field(
        default="", max_length=4000, description="4 to 500 characters without personal data; only a doubt needs any"
    )
    shows: Shows = Field(default="answer", description="whether `text` is public as well, or the answer alone")
    paper: Paper | None = Field(default=None, description="which paper, for kind `paper`")
    contact: str | None = Field(
        default=None,
        max_length=400,
        description="how the township may reach whoever asks; seen by nobody else and destroyed when the question is over",
    )


class UnclearIn(BaseModel, json_schema_extra=example("UnclearIn")):
    """That an answer explains nothing, and what is missing in it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=4000, description="up to 500 characters without personal data")


class QuestionWordOut(BaseModel, json_schema_extra=example("QuestionWordOut")):
    """One thing that was said of a question; `text` is null where it is not public, or nothing was written."""

    kind: str
    holder: str | None
    at: str
    due: str | None
    text: str | None
    disclosure_id: str | None


class QuestionOut(BaseModel, json_schema_extra=example("QuestionOut")):
    """A question as everybody may read it; `ref` only for whoever has it.

    `holder` has to answer until `due` as long as `state` is `asked` or `township`; `late_days` counts all days past what
    was allowed and never goes down.
    """

    id: str
    ref: str | None
    url: str
    village: str
    kind: str
    paper: str | None
    shows: str
    item: str | None
    period: str | None
    disclosure_id: str | None
    line: int | None
    state: str
    holder: str
    due: str
    late_days: int
    asked_at: str
    answered_at: str | None
    rounds: int = Field(description="how often an answer was called unclear")
    hidden_reason: str | None
    joined: int = Field(description="how often others said that they ask it too; times, as nobody knows who it was")
    joint_at: str | None = Field(description="when it became a joint question (联名); null before")
    joint_then: JointThen | None = Field(
        description="what the deadline profile made of that: the `township` has to answer as well, or the answer is owed to `everybody`"
    )
    joint_due: str | None = Field(description="until when the township has to answer as well")
    may_join: bool = Field(description="whether `POST /api/v1/questions/{id}/join` counts now")
    words: list[QuestionWordOut]


class JoinedOut(BaseModel, json_schema_extra=example("JoinedOut")):
    """What came of joining a question: `counted` is false when this browser, or its household, was counted within a month."""

    counted: bool
    joined: int = Field(description="times altogether")
    joint: bool = Field(description="whether so many joined that it is a joint question")
