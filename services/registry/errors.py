"""What can go wrong in the registry."""

from services.kit.errors import ConflictError, ForbiddenError, InvalidInputError, SanwuError, UnauthenticatedError


class WrongCredentialsError(UnauthenticatedError):
    """用户名或密码不对。"""

    code = "wrong_credentials"


class TooManyFailuresError(SanwuError):
    """登录失败次数过多，请稍后再试。"""

    status = 429
    code = "too_many_failures"


class SignInBusyError(SanwuError):
    """现在登录的人太多，请过几秒再按一次“登录”。"""

    status = 503
    code = "sign_in_busy"


class OneTimePasswordOverError(ForbiddenError):
    """这个一次性密码已经过期，请联系管理员重新发一个。"""

    code = "one_time_password_over"


class TotpRequiredError(UnauthenticatedError):
    """请再输入动态口令（手机令牌上的 6 位数字）。"""

    code = "totp_required"


class NoSecondFactorError(ForbiddenError):
    """此账号的角色必须使用动态口令，但还没有绑定。请平台管理员为您重置。"""

    code = "totp_not_set"


class NewPasswordRequiredError(ForbiddenError):
    """这是一次性密码，请同时设置您自己的新密码。"""

    code = "new_password_required"


class WrongPasswordError(InvalidInputError):
    """原密码不对。"""

    code = "wrong_password"


class UsernameTakenError(ConflictError):
    """这个用户名已经有人使用，请换一个。"""

    code = "username_taken"


class SamePersonTwiceError(ConflictError):
    """同一个人在一个村里不能既录入又监督，也不能有两个村监委会成员账号。确实是同名不同人的，请写明依据（同名不同人）。"""

    code = "same_person_twice"
    refuses = True


class OwnAccountError(ConflictError):
    """不能停用自己，也不能改变自己的角色和管辖范围，请由另一位平台管理员操作。"""

    code = "own_account"
    refuses = True
