"""The error tree. `status` and `code` go to the caller as problem+json; a class docstring is its default title."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in what came in: where, and what to do about it."""

    at: str
    message: str


class SanwuError(Exception):
    """请求没有成功。"""

    status: int = 500
    code: str = "internal"
    #: Seconds after which it may well succeed (`Retry-After`, RFC 9110 section 10.2.3).
    retry_after_s: int | None = None
    #: Somebody wanted what is not theirs to do: whoever is signed in has a row of it in the trail.
    refuses: bool = False

    def __init__(self, detail: str | None = None, *, faults: Sequence[Fault] = (), **extra: Any) -> None:
        """Take a sentence for the reader, faults with their places, and extra members of the problem."""
        super().__init__(detail or self.__doc__)
        self.title = (type(self).__doc__ or "").strip()
        self.faults = tuple(faults)
        self.extra = extra

    @property
    def detail(self) -> str:
        """The sentence for the reader."""
        return str(self.args[0])


class InvalidInputError(SanwuError):
    """提交的内容有错误，请按提示修改。"""

    status = 422
    code = "invalid_input"


class UnauthenticatedError(SanwuError):
    """请先登录，或登录已过期。"""

    status = 401
    code = "unauthenticated"


class ForbiddenError(SanwuError):
    """您的角色或管辖范围不能进行此操作。"""

    status = 403
    code = "forbidden"
    refuses = True


class NotFoundError(SanwuError):
    """没有找到。"""

    status = 404
    code = "not_found"


class ConflictError(SanwuError):
    """与现在的状态冲突，请刷新后再试。"""

    status = 409
    code = "conflict"


class TooLargeError(SanwuError):
    """内容太大，请拆分后分次提交。"""

    status = 413
    code = "too_large"


class TooSlowError(SanwuError):
    """网络太慢，内容没有在规定的时间内传完，没有保存。请换个网络再试，或者把文件缩小后再传。"""

    status = 408
    code = "too_slow"


class TooManyAtOnceError(SanwuError):
    """同时提交的太多，请等前面的完成后再试。"""

    status = 429
    code = "too_many_at_once"
    retry_after_s = 10


class IdempotencyKeyReusedError(SanwuError):
    """同一个 Idempotency-Key 不能用于不同的内容。"""

    status = 422
    code = "idempotency_key_reused"


class UnavailableError(SanwuError):
    """系统暂时繁忙，请稍后再试。如果刚才提交了内容，请先看一看是否已经保存，再决定要不要重新提交。"""

    status = 503
    code = "unavailable"
    retry_after_s = 2


class Retry(Exception):  # noqa: N818 - an outcome of a handler, not an error
    """A handler cannot do its work yet; the record comes again after a while, those of other partitions flow."""


class Reject(Exception):  # noqa: N818 - an outcome of a handler, not an error
    """A handler will never be able to use this record: park its aggregate at once."""


# -- input that a validator refused


def place(location: tuple[int | str, ...]) -> str:
    """A path as people write it: ("body", "lines", 3, "date") -> `body.lines[3].date`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


#: Pydantic's reasons in the readers' language; anything else keeps the validator's own words.
_REASONS: Final = {
    "missing": "缺少这一项",
    "json_invalid": "不是有效的 JSON",
    "uuid_parsing": "不是有效的编号",
    "extra_forbidden": "没有这一项，请检查名称",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_too_short": "太短，至少 {min_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "string_type": "应为文字",
    "string_unicode": "含有不完整的字符",
    "model_attributes_type": "应为 JSON 对象（Content-Type: application/json）",
    "int_type": "应为整数（金额以分为单位）",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数（金额以分为单位）",
    "date_from_datetime_parsing": "应为日期，如 2026-10-03",
    "date_parsing": "应为日期，如 2026-10-03",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "literal_error": "应为 {expected} 之一",
    "enum": "应为 {expected} 之一",
    "too_long": "最多 {max_length} 项，请拆分",
    "too_short": "至少要有 {min_length} 项",
    "greater_than": "应大于 {gt}",
    "less_than": "应小于 {lt}",
    "list_type": "应为列表",
    "tuple_type": "应为列表",
    "dict_type": "应为 JSON 对象",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "union_tag_invalid": "不认识的类型，应为 {expected_tags}",
}


def faults_of(errors: Any, *, below: tuple[int | str, ...] = ()) -> tuple[Fault, ...]:
    """Pydantic's errors as faults with places."""
    found = []
    for error in errors:
        location = (*below, *(p for p in error["loc"] if p != "function-after"))
        found.append(Fault(place(location), _reason(error["type"], str(error["msg"]), error.get("ctx", {}))))
    return tuple(found)


def _reason(kind: str, said: str, context: Mapping[str, object]) -> str:
    """What is wrong, in the readers' language."""
    template = _REASONS.get(kind)
    if kind in {"string_too_short", "too_short"} and context["min_length"] == 1:
        template = "不能为空" if kind == "string_too_short" else "一行也没有，至少要填一行"
    if template is not None:
        return template.format(**context)
    own = said.removeprefix("Value error, ")
    # What a library says in its own language helps nobody here.
    return own if _CHINESE.search(own) else "格式不对，请检查"


_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
