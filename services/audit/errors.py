"""What can go wrong in audit."""

from services.kit.errors import NotFoundError


class UnknownAlertError(NotFoundError):
    """没有这条预警，请从预警列表里打开。"""

    code = "unknown_alert"
