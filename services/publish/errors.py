"""What can go wrong in publish."""

from services.kit.errors import NotFoundError, SanwuError


class CodeUnknownError(NotFoundError):
    """这个码不是本平台发出的。"""

    code = "code_unknown"


class CodeRevokedError(SanwuError):
    """这个码已经停用。"""

    status = 410
    code = "code_revoked"


class WithdrawnError(SanwuError):
    """这条公开内容已撤回，不再公开；原因写在它的网页上。"""

    status = 410
    code = "withdrawn"


class LookedForTooOftenError(SanwuError):
    """这个名字查得太频繁了，请过一个小时再查，或者到村委会核对。"""

    status = 429
    code = "looked_for_too_often"
