"""What a ledger's lines leave unsaid and the other cells tell: the only account, the other end of a transfer."""

from collections.abc import Sequence
from typing import Any, Final

#: The usual voucher word, where only a number was typed.
USUAL_WORD: Final = "记"
_TWO: Final = 2


def complete_lines(body: dict[str, Any], rows: Sequence[int], faults: dict[str, str]) -> None:
    """Fill in what is certain; a transfer that could go to several accounts is a fault at its cell."""
    accounts = [a["account"] for a in body["accounts"] if "account" in a]
    if not body["accounts"]:
        faults.setdefault("accounts.0.account", "请填写至少一个账户的上期结余和本期结余，没有就填 0")
    for n, line in zip(rows, body["lines"], strict=True):
        blank = faults.get(f"lines.{n}.account", "").startswith("请填写")
        if "account" not in line and blank and len(accounts) == 1:
            line["account"] = accounts[0]
            del faults[f"lines.{n}.account"]
        voucher = line.get("voucher")
        if isinstance(voucher, dict) and "no" in voucher:
            voucher.setdefault("word", USUAL_WORD)
        if line.get("direction") == "transfer" and "to_account" not in line:
            others = [a for a in accounts if a != line.get("account")]
            if len(accounts) == _TWO and len(others) == 1:
                line["to_account"] = others[0]
            else:
                faults.setdefault(f"lines.{n}.to_account", "内部划转要写转入账户")
