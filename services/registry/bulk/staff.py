"""The staff file: CSV text in, accounts to be out. Columns: username, password, totp_secret, role, scope.

`totp_secret` must be blank: nothing checks a second factor yet, and a city must not believe that something does.
"""

import re
from dataclasses import dataclass
from typing import Final

from services.contracts.base import Role
from services.registry.bulk.rows import Row, note_twins, read_rows, refuse_faulty

COLUMNS: Final = ("username", "password", "totp_secret", "role", "scope")
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
_SCOPE: Final = re.compile(r"[0-9]{6}([0-9]{3}([0-9]{3})?)?")
SHORTEST_PASSWORD: Final = 12


@dataclass(frozen=True, slots=True)
class StaffRow:
    """An account as the file states it."""

    username: str
    password: str
    role: Role
    scope: str


def _staff(row: Row) -> StaffRow | None:
    username = row.matching("username", _USERNAME, "小写字母、数字、点或短横线组成的用户名")
    password = row.text("password")
    if password is not None and len(password) < SHORTEST_PASSWORD:
        row.refuse("password", f"密码至少 {SHORTEST_PASSWORD} 个字符")
    if row.cells["totp_secret"]:
        row.refuse("totp_secret", "这一版平台还不核对动态口令，请留空")
    role = row.choice("role", Role)
    if role is Role.SYSTEM:
        row.refuse("role", "system 不是人的角色")
    scope = row.matching("scope", _SCOPE, "6、9 或 12 位的区划代码")
    if username is None or password is None or role is None or scope is None:
        return None
    return StaffRow(username, password, role, scope)


def read_staff(data: str | bytes) -> list[StaffRow]:
    """Read a staff file; FileFaultsError names every faulty line and column."""
    rows = read_rows(data, COLUMNS)
    found = [_staff(row) for row in rows]
    note_twins(rows, "username")
    refuse_faulty(rows)
    return [staff for staff in found if staff is not None]
