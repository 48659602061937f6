"""What can go wrong in the registry."""

from services.kit.errors import SanwuError, UnauthenticatedError


class WrongCredentialsError(UnauthenticatedError):
    """用户名或密码不对。"""

    code = "wrong_credentials"


class TooManyFailuresError(SanwuError):
    """登录失败次数过多，请稍后再试。"""

    status = 429
    code = "too_many_failures"
