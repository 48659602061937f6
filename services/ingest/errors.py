"""What can go wrong on a disclosure's way."""

from services.kit.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    SanwuError,
    TooLargeError,
    UnavailableError,
)


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


class KindMismatchError(InvalidInputError):
    """内容的类型与这个事项不符。"""

    code = "kind_mismatch"


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


class TypedByAnotherError(ConflictError):
    """另一个人也在填这一份，您填的还没有保存。"""

    code = "typed_by_another"


class UnfinishedFormError(ConflictError):
    """有人填了一半，还没有存成草稿，请先存好或者丢掉那些改动，再提交。"""

    code = "unfinished_form"


class FormTooPlainError(ConflictError):
    """这份内容超过 400 行，填写页放不下。还是草稿的，请作废后用“一键导入”重新导入；已经公开的，请联系平台管理员更正。"""

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


class ResetByYouError(ForbiddenError):
    """提交这份内容的账号，密码是您在近 30 天里重置的，请由别人审核。"""

    code = "reset_by_you"


class SecrecyCheckMissingError(InvalidInputError):
    """这个事项公开前要做保密审查，请写明审查人的姓名。"""

    code = "secrecy_check_missing"


class MissingReasonError(InvalidInputError):
    """请写明原因。"""

    code = "missing_reason"


class NothingToMaskError(ConflictError):
    """没有可以遮盖的内容，请刷新页面再看。"""

    code = "nothing_to_mask"


class NobodyAskedError(ForbiddenError):
    """这个事项不需要您核对。"""

    code = "nobody_asked"


class NotPublisherError(ForbiddenError):
    """部门只录入由本部门公开的事项，其他事项由村里录入。"""

    code = "not_publisher"


class NothingToStateError(InvalidInputError):
    """这个事项不能一键填“无”，请用“录入”写明情况。"""

    code = "nothing_to_state"


class AlreadyFiledError(ConflictError):
    """这份内容不需要备案，或者已经备案。"""

    code = "already_filed"


class AlreadyOpenedError(ConflictError):
    """这个事项本期已经公开，不能再申请不公开。"""

    code = "already_opened"


class WaiverExistsError(ConflictError):
    """这个事项本期已经申请过不公开，请等镇街处理。"""

    code = "waiver_exists"


class UnknownWaiverError(NotFoundError):
    """没有这份不公开备案。"""

    code = "unknown_waiver"


class IncompleteDeclarationError(InvalidInputError):
    """季度有无申报没有填全，或填错了，请逐项回答。"""

    code = "incomplete_declaration"


class UnknownDeclarationError(NotFoundError):
    """本村这个季度还没有申报。"""

    code = "unknown_declaration"


class UnknownApprovalError(NotFoundError):
    """没有这一批审核。"""

    code = "unknown_approval"


class ErasedError(ConflictError):
    """内容已经永久删除，不能恢复。"""

    code = "erased"


class PersonalDataError(ConflictError):
    """因个人信息撤回的内容不能恢复公开，请去掉个人信息后重新录入。"""

    code = "personal_data"


class NotPersonalDataError(ConflictError):
    """不是因个人信息撤回的，到期自动永久删除，不能提前。"""

    code = "not_personal_data"


class SecondPersonError(ForbiddenError):
    """撤回的人不能自己同意立即永久删除，请由另一位审核员或纪检监察干部同意。"""

    code = "second_person"


class TooLateToUndoError(ConflictError):
    """撤销的时间已过，内容已经发布；如有错误，请更正或撤回。"""

    code = "too_late_to_undo"


class SheetNeedsNamesError(InvalidInputError):
    """请写明核对单上签字人的姓名。"""

    code = "sheet_needs_names"


class UnknownSignerError(InvalidInputError):
    """核对单上的签字人只能从本村登记在册的村监委会成员里选。"""

    code = "unknown_signer"


class SheetBearerError(ForbiddenError):
    """录入、保存或提交过这份内容的人不能代交核对单，请由别人上传，或由村监委会成员登录后自己核对。"""

    code = "sheet_bearer"


class WrongSheetError(InvalidInputError):
    """这张核对单不是这一版内容的，或照片上的码读不出来，请打印这一版的核对单，签字后对着码重拍。"""

    code = "wrong_sheet"


class UnusableUploadError(InvalidInputError):
    """这个文件不能上传。"""

    code = "unusable_file"


class QuotaUsedUpError(SanwuError):
    """您今天上传的文件已到每天的上限（个数、总大小或导入次数），明天 0 点以后可以再传；急用请联系平台管理员。"""

    status = 429
    code = "quota_used_up"


class BeingRemovedError(UnavailableError):
    """这个文件正在清理，请过几秒再上传。"""

    code = "being_removed"


class UnknownAttachmentError(NotFoundError):
    """没有这个附件。"""

    code = "unknown_attachment"


class MissingAttachmentError(InvalidInputError):
    """内容里提到的附件本村没有上传过，请先上传。"""

    code = "missing_attachment"


class ImportFaultsError(InvalidInputError):
    """文件里有错，一条也没有导入。请按行列改正后重新导入。"""

    code = "import_faults"


class UnreadableWorkbookError(InvalidInputError):
    """这个文件读不了，请另存为 xlsx 后再上传。"""

    code = "unreadable_workbook"


class WorkbookNotReadyError(InvalidInputError):
    """还有没回答的问题，或文件里还有错，一份也没有带入。"""

    code = "workbook_not_ready"


class UnknownImportError(NotFoundError):
    """没有这次导入。"""

    code = "unknown_import"


class AlreadyUndoneError(ConflictError):
    """这次导入已经撤销过。"""

    code = "already_undone"


class UnknownQuestionError(NotFoundError):
    """没有这个编号的提问。"""

    code = "unknown_question"


class HandedUpError(ConflictError):
    """这个提问已经交给镇街，由镇街答复。"""

    code = "handed_up"


class WordsGoneError(ConflictError):
    """这个提问的内容已经删除，不能再答复。"""

    code = "words_gone"
