"""What can go wrong on a disclosure's way."""

from services.kit.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, TooLargeError


class UnknownVillageError(InvalidInputError):
    """没有这个村（社区），请核对 12 位代码。"""

    code = "unknown_village"


class ZoneError(InvalidInputError):
    """这是开发区占位代码，没有公开任务，不能录入。"""

    code = "zone_has_no_duties"


class UnknownItemError(InvalidInputError):
    """公开目录里没有这个事项，请核对事项代码。"""

    code = "unknown_item"


class ItemDoesNotApplyError(InvalidInputError):
    """本村（社区）没有这个公开事项。"""

    code = "item_does_not_apply"


class KindNotSupportedError(InvalidInputError):
    """这一版平台还只能录入收支明细类事项。"""

    code = "kind_not_supported"


class WrongPeriodError(InvalidInputError):
    """公开期与事项的公开频次不符。"""

    code = "wrong_period"


class FuturePeriodError(InvalidInputError):
    """公开期还没有到，请在期满之后录入。"""

    code = "future_period"


class BodyTooLargeError(TooLargeError):
    """内容超过 512 KiB 或 2000 行，请拆分成几份提交。"""

    code = "too_large"


class UnknownDisclosureError(NotFoundError):
    """没有这份公开内容。"""

    code = "unknown_disclosure"


class AlreadyEnteredError(ConflictError):
    """本村这一期的这个事项已经录入，请打开已有的那一份。"""

    code = "already_entered"


class StaleVersionError(ConflictError):
    """内容已被改动，您看到的不是最新的一版，请刷新后再操作。"""

    code = "stale_version"


class FormTooPlainError(ConflictError):
    """这份内容的账户或行数超出填写页，从这里修改会丢失内容，请用接口（API）修改。"""

    code = "form_too_plain"


class WrongStateError(ConflictError):
    """现在的状态不能进行这一步。"""

    code = "wrong_state"


class UnexplainedFindingsError(ConflictError):
    """有没有说明的问题，请改正，或逐条写明原因后再提交。"""

    code = "unexplained_findings"


class SamePersonError(ForbiddenError):
    """同一个人不能既提交又核对或审核同一份内容。"""

    code = "same_person"
