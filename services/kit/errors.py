"""The error tree. `status` and `code` go to the caller as problem+json; a class docstring is its default title."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in what came in: where, and what to do about it."""

    at: str
    message: str


class SanwuError(Exception):
    """请求没有成功。"""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, detail: str | None = None, *, faults: Sequence[Fault] = (), **extra: Any) -> None:
        """Take a sentence for the reader, faults with their places, and extra members of the problem."""
        super().__init__(detail or self.__doc__)
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


class IdempotencyKeyReusedError(SanwuError):
    """同一个 Idempotency-Key 不能用于不同的内容。"""

    status = 422
    code = "idempotency_key_reused"


class UnavailableError(SanwuError):
    """系统暂时繁忙，请稍后再试；您填写的内容没有丢失，也没有重复提交。"""

    status = 503
    code = "unavailable"


class Retry(Exception):  # noqa: N818 - an outcome of a handler, not an error
    """A handler cannot do its work yet; the record comes again after a while, those of other partitions flow."""

    def __init__(self, reason: str, after: timedelta = timedelta(seconds=1)) -> None:
        """Say why, and how long to wait."""
        super().__init__(reason)
        self.after = after


class Reject(Exception):  # noqa: N818 - an outcome of a handler, not an error
    """A handler will never be able to use this record: park its aggregate at once."""
