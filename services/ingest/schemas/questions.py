"""HTTP bodies of villagers' questions at the desk."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.catalogue import JointThen
from services.contracts.values import Text
from services.kit.examples import read_examples

example = read_examples(__file__)


class QuestionAnswerIn(BaseModel, json_schema_extra=example("QuestionAnswerIn")):
    """An answer to a villager's question; everybody reads it."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    disclosure: UUID | None = Field(
        default=None, description="id of a public disclosure of the village that answers it"
    )


class QuestionHideIn(BaseModel, json_schema_extra=example("QuestionHideIn")):
    """Why a question is taken out of everybody's sight; everybody reads that."""

    model_config = ConfigDict(extra="forbid")

    reason: Text


class QuestionWordOut(BaseModel, json_schema_extra=example("QuestionWordOut")):
    """One thing that was said of a question; `by_role` of a member of staff, never who."""

    kind: str
    by_role: str | None
    at: datetime
    text: str | None


class QuestionOut(BaseModel, json_schema_extra=example("QuestionOut")):
    """A villager's question at the desk: `holder` has to answer until `due`, as long as it is open."""

    ref: str
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
    due: date
    overdue_days: int
    rounds: int = Field(description="how often an answer was called unclear")
    asked_at: datetime
    joined: int = Field(description="how often others said that they ask it too; never who")
    joint_then: JointThen | None = Field(
        description="what the profile made of so many: the `township` answers as well, or the answer is owed to `everybody`; null before"
    )
    joint_due: date | None = Field(description="until when the township has to answer as well")
    has_contact: bool
    contact: str | None = Field(description="told to the township's reviewer alone, of one question at a time")
    words: list[QuestionWordOut]
