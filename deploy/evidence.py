"""Recompute an alert's evidence pack, apart from the platform: this one file, Python's standard library, nothing else.

    python evidence.py FILE …        # packs, or alerts as GET /audit/v1/alerts/{id} answers them
    sanwu evidence check FILE …

It does the arithmetic of each rule anew from the facts of the pack, by code that shares nothing with the rules, and compares:
the pack's hashes and name, whether the facts are a hit, how grave, every figure of the sentence, and that the arithmetic names
every amount. What it cannot know is
whether the facts are what was published: each names its event, which the public page or the topic shows.
Exit status 0: all agree; 1: something differs or cannot be read.
"""

import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 2
LONGEST_SENTENCE: Final = 60
_ROW: Final = re.compile(r"([a-z_]+)\[(\d+)\]\.([a-z_]+)")
_SUBJECT: Final = ("village", "item", "period", "account", "question")
#: How grave a hit is, 0 for none, and figures that its sentence has to name.
Found = tuple[int, list[str]]
_NONE: Final[Found] = (0, [])


class Facts:
    """A pack's facts by name, its settings, and the pack itself."""

    def __init__(self, pack: Mapping[str, Any]) -> None:
        """Sort facts into single ones and rows of lines."""
        self.settings: dict[str, int] = {k: int(v) for k, v in pack["settings"]["values"].items()}
        self._single: dict[str, Any] = {}
        self._rows: dict[str, dict[int, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
        for _event, name, value in pack["facts"]:
            row = _ROW.fullmatch(name)
            if row is None:
                self._single[name] = value
            else:
                self._rows[row[1]][int(row[2])][row[3]] = value

    def __getitem__(self, name: str) -> Any:
        """A fact by its name; None when it is not there."""
        return self._single.get(name)

    def number(self, name: str) -> int:
        """A fact that is a number; of large ones the pack holds the digits."""
        return int(self._single[name])

    def moment(self, name: str) -> datetime | None:
        """A fact that is a moment."""
        value = self._single.get(name)
        return datetime.fromisoformat(value) if value is not None else None

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of facts, in their order."""
        return [self._rows[name][n] for n in sorted(self._rows[name])]


def yuan(fen: int) -> str:
    """Fen as the sentences write yuan."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


# -- the rules, once more -------------------------------------------------------------------------------------------


def _a01(f: Facts) -> Found:
    gaps = [f.number(f"cur.{k}_stated_fen") - f.number(f"cur.{k}_lines_fen") for k in ("income", "expense")]
    off = [gap for gap in gaps if abs(gap) > f.settings["tolerance_fen"]]
    return (3, [yuan(off[0])]) if off else _NONE


def _a02(f: Facts) -> Found:
    closing = f.number("before.closing_fen")
    if not f["is_open"] or not f["before_is_open"] or f["correcting"]:
        return _NONE
    if f["cur.opening_fen"] is None:
        return (3, [yuan(closing)]) if abs(closing) > f.settings["tolerance_fen"] and not f["renamed"] else _NONE
    gap = f.number("cur.opening_fen") - closing
    return (3, [yuan(gap)]) if f["adjoining"] and abs(gap) > f.settings["tolerance_fen"] else _NONE


def _a03(f: Facts) -> Found:
    parts = {"opening": 1, "income": 1, "expense": -1, "transfer_in": 1, "transfer_out": -1, "closing": -1}
    gap = -sum(sign * f.number(f"cur.{name}_fen") for name, sign in parts.items())
    return (3, [yuan(gap)]) if abs(gap) > f.settings["tolerance_fen"] else _NONE


def _lines(limit: str, level: int, *, above: bool, told: str) -> Callable[[Facts], Found]:
    """Lines beyond a limit: strictly above it, or from it on; the sentence tells the largest or the sum."""

    def judge(f: Facts) -> Found:
        edge = f.settings[limit]
        amounts = [int(x["amount_fen"]) for x in f.rows("lines")]
        beyond = [a for a in amounts if (a > edge if above else a >= edge)]
        if not beyond or len(beyond) != len(amounts) or not f["is_open"]:
            return _NONE
        if told == "sum":
            return level, [yuan(sum(beyond)), str(len(beyond))]
        return level, [yuan(max(beyond)), *([str(len(beyond))] if len(beyond) > 1 else [])]

    return judge


def _a06(f: Facts) -> Found:
    days: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for x in f.rows("lines"):
        days[x["day"][:7], x["word"], x["number"]].add(x["day"])
    twice = [number for (_, _, number), found in days.items() if len(found) > 1]
    return (2, [str(n) for n in twice[:3]]) if twice and len(twice) == len(days) else _NONE


def _a07(f: Facts) -> Found:
    sums: dict[Any, int] = defaultdict(int)
    for x in f.rows("rows"):
        sums[x["person"]] += int(x["days"])
    most = f.number("period_days") * 10_000
    over = [days for days in sums.values() if days > most]
    return (3, [f"{max(over) / 10_000:g}"]) if over and len(over) == len(sums) else _NONE


def _a08(f: Facts) -> Found:
    twice = f.number("cur.twice")
    return (1, [str(twice)]) if twice > 0 else _NONE


def _gap(left: str, right: str, level: int) -> Callable[[Facts], Found]:
    def judge(f: Facts) -> Found:
        gap = f.number(left) - f.number(right)
        return (level, [yuan(gap)]) if abs(gap) > f.settings.get("tolerance_fen", 0) else _NONE

    return judge


def _b02(f: Facts) -> Found:
    closing, limit = f.number("cur.closing_fen"), f.settings["cash_on_hand_fen"]
    return (2, [yuan(closing), yuan(limit)]) if closing > limit else _NONE


def _b05(f: Facts) -> Found:
    begins, ends = date.fromisoformat(f["cur.begins"]), date.fromisoformat(f["cur.ends"])
    later = begins.year + f.settings["years"]
    try:
        longest = begins.replace(year=later)
    except ValueError:  # 29 February of a year that has none
        longest = date(later, 2, 28)
    return (3, [str(begins), str(ends)]) if f["cur.type"] == "lease" and ends > longest else _NONE


def _b07(f: Facts) -> Found:
    entitled, present, agree = (f.number(f"cur.{n}") for n in ("entitled", "present", "in_favour"))
    enough = {
        "villagers": (2 * present > entitled, 2 * agree > present),
        "representatives": (3 * present >= 2 * entitled, 2 * agree > present),
        "members": (3 * present >= 2 * entitled, 3 * agree >= 2 * entitled),
    }[f["cur.meeting"]]
    if all(enough):
        return _NONE
    return 2, ([str(entitled), str(present)] if not enough[0] else [str(agree)])


def _b09(f: Facts) -> Found:
    owed = f["cur.settled_fen"] if f["cur.settled_fen"] is not None else f["cur.contract_fen"]
    over = f.number("cur.paid_fen") - int(owed)
    return (3, [yuan(over)]) if over > 0 else _NONE


def _d01(f: Facts) -> Found:
    begins, now = f.moment("cur.due_at"), f.moment("now")
    free = any(f[f"cur.{n}"] for n in ("waived", "nil", "history", "first_published_at")) or not f["cur.applies"]
    if free or begins is None or now is None:
        return _NONE
    levels = [n for n in (1, 2, 3) if now >= begins + timedelta(days=f.settings[f"level_{n}_after_days"])]
    return max(levels, default=0), [f["cur.due"]]


def _d02(f: Facts) -> Found:
    now = f.moment("now")
    for part in ("before", "cur"):
        due = f.moment(f"{part}.due_at")
        there = any(f[f"{part}.{n}"] for n in ("history", "has_row", "waived")) or not f[f"{part}.applies"]
        if there or due is None or now is None or now < due:
            return _NONE
    return 2, [f["before.period"], f["cur.period"]]


def _late(done: Sequence[str], level: int) -> Callable[[Facts], Found]:
    """A moment that has passed while nothing was done."""

    def judge(f: Facts) -> Found:
        due, now = f.moment("cur.due_at"), f.moment("now")
        is_late = due is not None and now is not None and now >= due
        return (level, []) if is_late and not any(f[name] for name in done) else _NONE

    return judge


def _d07(f: Facts) -> Found:
    is_silent = f["cur.figures"] != f["before.figures"] and not f["cur.noted"]
    return (2, [str(f["cur.edition"])]) if is_silent else _NONE


def _d08(f: Facts) -> Found:
    days = (date.fromisoformat(f["cur.posted_until"]) - date.fromisoformat(f["cur.posted_from"])).days + 1
    return (2, [str(days), str(f["notice_days"])]) if days < f.number("notice_days") else _NONE


def _d10(f: Facts) -> Found:
    is_one = f["cur.release"] == "approve" and f["cur.submitted_by"] == f["cur.approved_by"] is not None
    return (1 if f["cur.delegation"] is not None else 3, [str(f["cur.edition"])]) if is_one else _NONE


def _d11(f: Facts) -> Found:
    reset, used, approved = (f.moment(f"cur.{n}_at") for n in ("reset", "used", "approved"))
    if reset is None or used is None or approved is None or used < reset or not f["released"]:
        return _NONE
    within = approved - reset <= timedelta(days=f.settings["days"])
    return (3 if f["cur.handed_in"] else 2, []) if within else _NONE


def _d12(f: Facts) -> Found:
    if f["cur.restored"]:
        return _NONE
    if f["cur.recent"] is not None and f.number("cur.recent") >= f.settings["many"]:
        return 3, [str(f["cur.recent"])]
    return (2, []) if f["cur.figures_changed"] else _NONE


RULES: Final[Mapping[str, Callable[[Facts], Found]]] = {
    "A01": _a01,
    "A02": _a02,
    "A03": _a03,
    "A05": _lines("paper_from_fen", 1, above=False, told="sum"),
    "A06": _a06,
    "A07": _a07,
    "A08": _a08,
    "A09": _gap("cur.stated_fen", "cur.rows_fen", 3),
    "A10": _gap("cur.contract_fen", "cur.bid_fen", 2),
    "B01": _lines("cash_limit_fen", 2, above=True, told="largest"),
    "B02": _b02,
    "B04": _lines("resolution_from_fen", 2, above=False, told="sum"),
    "B05": _b05,
    "B07": _b07,
    "B09": _b09,
    "D01": _d01,
    "D02": _d02,
    "D03": _late(("cur.decided_at",), 1),
    "D04": _late(("cur.answered_at", "cur.hidden"), 2),
    "D07": _d07,
    "D08": _d08,
    "D10": _d10,
    "D11": _d11,
    "D12": _d12,
}


# -- the pack -------------------------------------------------------------------------------------------------------


def _sha256(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _frame(pack: Mapping[str, Any]) -> list[str]:
    """What is wrong with the pack's hashes and its name."""
    rule, subject = pack["rule"], {k: pack["subject"][k] for k in _SUBJECT if pack["subject"].get(k) is not None}
    major = int(rule["version"].partition(".")[0])
    expected = {
        "证据包的校验值": (pack["hash"], _sha256({k: v for k, v in pack.items() if k not in {"as_of", "hash"}})),
        "设置的校验值": (pack["settings"]["hash"], _sha256(pack["settings"]["values"])),
        "预警编号": (pack["alert"], _sha256([pack["city"], rule["id"], major, subject])[:30]),
    }
    return [f"{name}：写的是 {told}，重算是 {made}" for name, (told, made) in expected.items() if told != made]


def _amounts(pack: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Amounts and working days among the facts, as the arithmetic has to write them."""
    told = [(name, yuan(int(v))) for _, name, v in pack["facts"] if name.endswith("_fen") and v is not None]
    return told + [(name, f"{int(v) / 10_000:g} 天") for _, name, v in pack["facts"] if name.endswith("].days")]


def check(pack: Mapping[str, Any]) -> list[str]:
    """Everything in which a pack differs from what its facts come to; empty when it agrees."""
    try:
        if pack["format"] != FORMAT:
            return [f"证据包是第 {pack['format']} 种格式，这个文件只认第 {FORMAT} 种。"]
        judge = RULES.get(pack["rule"]["id"])
        if judge is None:
            return [f"不认识规则 {pack['rule']['id']}。"]
        differences = _frame(pack)
        level, figures = judge(Facts(pack))
        sentence = pack["sentence"]
        if level != pack["level"]:
            differences.append(f"程度：写的是 {pack['level']}，重算是 {level}（0 为不成立）")
        differences += [f"句子里没有重算出来的 {n}：{sentence}" for n in figures if n not in sentence]
        arithmetic = "\n".join([*pack["steps"], sentence])
        differences += [f"算式里没有事实 {name}：{told}" for name, told in _amounts(pack) if told not in arithmetic]
        if len(sentence) > LONGEST_SENTENCE:
            differences.append(f"句子有 {len(sentence)} 个字，超过 {LONGEST_SENTENCE} 个。")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        return [f"不是能读的证据包：{error!r}"]
    return differences


def main(paths: Sequence[str]) -> int:
    """Check files; a line for each, and one for each difference."""
    if not paths:
        sys.stderr.write("用法：python evidence.py 文件 …\n")
        return 1
    status = 0
    for path in paths:
        try:
            said = json.loads(Path(path).read_text(encoding="utf-8"))
            differences = check(said.get("evidence", said))
        except (OSError, ValueError, AttributeError) as error:
            differences = [f"不是能读的证据包：{error}"]
        sys.stdout.write(f"{path}：{'不一致' if differences else '一致'}\n")
        sys.stdout.writelines(f"  {d}\n" for d in differences)
        status = max(status, 1 if differences else 0)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
