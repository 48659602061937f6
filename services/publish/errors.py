"""What can go wrong in publish."""

from services.kit.errors import ConflictError, InvalidInputError, NotFoundError, SanwuError


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


class NotUnclearError(ConflictError):
    """现在不能再说“还没说清”：还没有答复，或者已经办结。"""

    code = "not_unclear"


class VillageFullError(SanwuError):
    """这个村等答复的提问已经很多，暂时不能再提。请明天再来，或者直接找镇街。"""

    status = 429
    code = "village_full"
    retry_after_s = 24 * 3600


class AskedTooOftenError(SanwuError):
    """从您所在的网络提问太频繁，请过一会儿再提。"""

    status = 429
    code = "asked_too_often"


class NotJoinableError(ConflictError):
    """现在不能联名：这个提问已经答复、办结或隐藏，或者提问的人没有公开提问。"""

    code = "not_joinable"


class TakerFullError(ConflictError):
    """一个编号最多登记50条，请不填编号，另登记一个。"""

    code = "taker_full"


class FormTimeError(InvalidInputError):
    """这张表打开得太久，或者提交得太快。内容还在，请再按一次。"""

    code = "form_time"
