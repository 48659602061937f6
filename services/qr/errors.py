"""What can go wrong in qr."""

from services.kit.errors import ConflictError, InvalidInputError, NotFoundError, TooLargeError


class UnknownCodeError(NotFoundError):
    """没有这个码，请核对码号。"""

    def __init__(self, code: str) -> None:
        """Name what was asked for."""
        super().__init__(f"没有码号为 {code} 的码。")


class CodeRevokedError(ConflictError):
    """这个码已经作废，请使用本村新发的码。"""

    code = "code_revoked"


class CodeChangedError(ConflictError):
    """同一个村的码刚刚被别人改动，请刷新后再试。"""

    code = "code_changed"


class NothingToPrintError(ConflictError):
    """这里还没有可以打印的码。"""

    code = "nothing_to_print"


class ZoneHasNoCodeError(InvalidInputError):
    """开发区占位条目不是村或社区，没有公开任务，也不发码。"""

    code = "zone_has_no_code"


class TooManyPostersError(TooLargeError):
    """一次打印的海报太多，请按镇街分次打印。"""

    code = "too_many_posters"


class NoVillageError(InvalidInputError):
    """只有村和社区有码，请选一个村或社区。"""

    code = "no_village"


class CodeHangsAlreadyError(ConflictError):
    """这个地方已经有码。"""

    code = "code_hangs_already"

    def __init__(self, village: str, serial: int) -> None:
        """Name the code that is there."""
        super().__init__(f"{village}在这个地方已经有第 {serial} 号码，不用再发；坏了请作废换新。")


class TooManyCodesError(ConflictError):
    """这个村的码太多了。"""

    code = "too_many_codes"

    def __init__(self, village: str, most: int) -> None:
        """Say how many there may be."""
        super().__init__(f"{village}有效的码已有 {most} 个，请先作废不用的。")


class UnusablePhotographError(InvalidInputError):
    """照片没有收下，请按提示重新拍。"""

    code = "unusable_photograph"


class NoPhotographError(NotFoundError):
    """这个码还没有悬挂的照片。"""

    code = "no_photograph"
