"""The staff file: CSV text in, accounts to be out.

Columns: username, password, totp_secret, role, scope; and, when the file has them, name, affairs, delegation, namesake.
`totp_secret` is base32 (RFC 4648) of at least 128 bits, or blank. `affairs` joins party, village, finance by `;`, `all`
or blank for a new account means all three. `delegation` is the document that lets the person both hand in and approve.
`namesake` says how somebody is known to be another person than the account of the same name (同名不同人).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.registry.bulk.rows import Row, note_twins, read_rows, refuse_faulty

COLUMNS: Final = ("username", "password", "totp_secret", "role", "scope")
OPTIONAL: Final = ("name", "affairs", "delegation", "namesake")
USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
USERNAME_FORM: Final = "小写字母、数字、点或短横线组成的用户名"
_SCOPE: Final = re.compile(r"[0-9]{6}([0-9]{3}([0-9]{3})?)?")
_BASE32: Final = re.compile(r"[A-Z2-7]{26,128}")
SHORTEST_PASSWORD: Final = 12


@dataclass(frozen=True, slots=True)
class StaffRow:
    """An account as the file states it; None where it leaves something open."""

    line: int
    username: str
    password: str
    totp_secret: str | None
    role: Role
    scope: str
    name: str | None = None
    affairs: tuple[Affair, ...] | None = None
    delegation: str | None = None
    namesake: str | None = None


def _totp_secret(row: Row) -> str | None:
    """A secret of the second factor, blanks taken out; a fault when it is none."""
    if not row.cells["totp_secret"]:
        return None
    secret = "".join(row.cells["totp_secret"].split()).upper().rstrip("=")
    try:
        if _BASE32.fullmatch(secret):
            base64.b32decode(secret + "=" * (-len(secret) % 8))
            return secret
    except binascii.Error:
        pass
    # The secret itself is not repeated.
    row.refuse("totp_secret", "不是动态口令的密钥，应为至少 26 位的 Base32（字母 A-Z 和数字 2-7），或留空")
    return None


def _affairs(row: Row) -> tuple[Affair, ...] | None:
    text = row.cells["affairs"]
    if not text or text == "all":
        return () if text else None
    named = [part.strip() for part in text.split(";")]
    if len(set(named)) != len(named) or any(n not in {a.value for a in Affair} for n in named):
        row.refuse("affairs", f"“{text[:60]}”不对，应为 party、village、finance 中的几个，用分号隔开，或 all")
        return None
    return tuple(a for a in Affair if a.value in named)


def _password(row: Row, *, may_be_blank: bool) -> str | None:
    if may_be_blank and not row.cells["password"]:
        return ""
    password = row.text("password")
    if password is not None and len(password) < SHORTEST_PASSWORD:
        row.refuse("password", f"密码至少 {SHORTEST_PASSWORD} 个字符")
    return password


def _staff(row: Row, *, may_be_blank: bool) -> StaffRow | None:
    username = row.matching("username", USERNAME, USERNAME_FORM)
    password = _password(row, may_be_blank=may_be_blank)
    secret, affairs = _totp_secret(row), _affairs(row)
    name, delegation = row.optional_text("name"), row.optional_text("delegation")
    namesake = row.optional_text("namesake")
    role = row.choice("role", Role)
    if role is Role.SYSTEM:
        row.refuse("role", "system 不是人的角色")
    scope = row.matching("scope", _SCOPE, "6、9 或 12 位的区划代码")
    if username is None or password is None or role is None or scope is None:
        return None
    return StaffRow(row.line, username, password, secret, role, scope, name, affairs, delegation, namesake)


def read_staff(data: str | bytes, *, may_be_blank: bool = False) -> list[StaffRow]:
    """Read a staff file; FileFaultsError names every faulty line and column. `may_be_blank` is said of passwords."""
    rows = read_rows(data, COLUMNS, OPTIONAL)
    found = [_staff(row, may_be_blank=may_be_blank) for row in rows]
    note_twins(rows, "username")
    refuse_faulty(rows)
    return [staff for staff in found if staff is not None]
