"""The prepared file of many villages' disclosures: JSON of whole bodies, or CSV of ledgers line by line; pure.

Comes in: bytes as uploaded. Goes out: one draft per village, item and period, each with the places it came from.
Everything wrong is told at once, by line and column, and then nothing is taken. Format: docs/import.md.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar

from services.contracts.bodies import MAX_BODY_BYTES
from services.contracts.values import hidden_sign, hidden_words, texts_in
from services.contracts.words import DIRECTIONS, METHODS
from services.ingest.bulk.cells import CellError, plain, to_account, to_day, to_fen, to_whole

Value = TypeVar("Value")

MAX_FILE_BYTES: Final = 8 * 1024 * 1024
MAX_DISCLOSURES: Final = 200
#: Enough to mend a file by.
MAX_FAULTS: Final = 200

#: Movements and balances of all disclosures of a CSV.
MAX_ROWS: Final = 40_000
#: What a body may have in JSON; a little more than it may have in the end, when what is blank is gone.
_MAX_BODY: Final = 2 * MAX_BODY_BYTES
#: A row of a body, with which the path of everything in it begins.
_ROW: Final = re.compile(r"body\.[a-z]+\[[0-9]+\]")

#: Columns of the CSV, by the names that may stand in its head.
_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "村代码": "village",
        "事项": "item",
        "公开期": "period",
        "行别": "row",
        "账户": "account",
        "期初": "opening",
        "期末": "closing",
        "日期": "date",
        "摘要": "summary",
        "收支": "direction",
        "金额": "amount",
        "转入账户": "to_account",
        "科目": "category",
        "收款人": "payee",
        "凭证字": "word",
        "凭证号": "no",
        "方式": "method",
        "经手人": "handler",
        "证明人": "attestor",
        "审批人": "approver",
    }
)
#: What a spreadsheet makes of twelve digits.
_SHORTENED: Final = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,3}")
_SHORTENED_WORDS: Final = (
    "电子表格把 12 位代码缩短了，后几位已经没有了；请先把这一列设成“文本”格式再填，或者直接上传记账软件导出的原表"
)
_NAMES: Final = {english: chinese for chinese, english in _COLUMNS.items()}
_NEEDED: Final = ("village", "item", "period", "row", "account")
_ROWS: Final = {"账户": "account", "明细": "line", "account": "account", "line": "line"}


def _by_word(words: Mapping[Any, str]) -> dict[str, str]:
    """What a cell may hold: the word that pages show, or the code."""
    return {key: str(code) for code, word in words.items() for key in (word, str(code))}


_DIRECTIONS: Final = _by_word(DIRECTIONS)
_METHODS: Final = _by_word(METHODS)
_WORDS: Final = ("category", "payee", "handler", "attestor", "approver")


@dataclass(frozen=True, slots=True)
class FileFault:
    """One thing wrong: `at` names line and column of a CSV, or the path in a JSON file."""

    at: str
    message: str


class FileFaultsError(ValueError):
    """The file cannot be taken."""

    def __init__(self, faults: Sequence[FileFault]) -> None:
        """Keep the first 200 faults, at least one."""
        super().__init__("; ".join(f.message for f in faults[:3]))
        self.faults = tuple(faults[:MAX_FAULTS])


@dataclass(slots=True)
class Prepared:
    """One disclosure of the file. `at`: where it stands; `lines`: file line of each account and line, for faults."""

    at: str
    village: str
    item: str
    period: str
    body: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)
    #: Of a spreadsheet, where each row stands in its own words.
    places: dict[str, str] = field(default_factory=dict)

    def place(self, path: str) -> str:
        """Where something of the body stands in the file: `body.lines[3].date` -> `第 17 行`."""
        row = _ROW.match(path)
        if self.places:
            return self.places.get(row[0] if row is not None else "", self.at)
        if row is not None and row[0] in self.lines:
            return f"第 {self.lines[row[0]]} 行"
        return f"{self.at}.{path}" if path and not self.lines else self.at

    def column(self, path: str) -> str:
        """How the file calls something of the body: the column of a table, the path itself of a JSON file."""
        if not self.places and not self.lines:
            return path
        return _NAMES.get(path.rpartition(".")[2].removesuffix("_fen"), "")


def read_prepared(data: bytes) -> list[Prepared]:
    """Read a prepared file, JSON when it begins with a brace, else CSV; FileFaultsError names every fault."""
    if len(data) > MAX_FILE_BYTES:
        raise FileFaultsError([FileFault("file", "文件超过 8 MiB，请分成几个文件")])
    text = _decoded(data)
    found = _from_json(text) if text.lstrip().startswith("{") else _Sheet(text).read()
    if not found:
        raise FileFaultsError([FileFault("file", "文件里没有可以导入的内容")])
    if len(found) > MAX_DISCLOSURES:
        raise FileFaultsError([_too_many(len(found))])
    return found


def looks_prepared(data: bytes) -> bool:
    """Tell a prepared file from a spreadsheet by its first line: a brace, or the columns of village, item and row."""
    head = data[:4096]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return True
    for encoding in ("utf-16",) if head.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        # What is cut in the middle of a sign is read up to it.
        first = {plain(cell) for cell in head.decode(encoding, "ignore").partition("\n")[0].split(",")}
        if {"村代码", "行别"} <= first or {"village", "row"} <= first:
            return True
    return False


def _too_many(count: int) -> FileFault:
    return FileFault("file", f"有 {count} 份，最多 {MAX_DISCLOSURES} 份，请分成几个文件")


def _decoded(data: bytes) -> str:
    """Text in UTF-8 (with or without mark), UTF-16 with mark, or GB18030, which Chinese spreadsheets write."""
    has_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if has_mark else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileFaultsError([FileFault("file", "看不懂文件的编码，请另存为 UTF-8 的 CSV")])


def _from_json(text: str) -> list[Prepared]:
    entries = _entries_of(text)
    found, faults = [], []
    if len(entries) > MAX_DISCLOSURES:
        raise FileFaultsError([_too_many(len(entries))])
    for n, entry in enumerate(entries):
        at = f"disclosures[{n}]"
        wrong = [
            FileFault(f"{at}.{name}", "缺少这一项，或不是文字")
            for name in ("village", "item", "period")
            if not isinstance(entry, dict) or not isinstance(entry.get(name), str)
        ]
        if not wrong and not isinstance(entry.get("body"), dict):
            wrong.append(FileFault(f"{at}.body", "缺少内容"))
        if not wrong and len(json.dumps(entry["body"], ensure_ascii=False).encode(errors="replace")) > _MAX_BODY:
            wrong.append(FileFault(f"{at}.body", f"内容超过 {MAX_BODY_BYTES // 1024} KiB，请拆分成几份"))
        faults += wrong
        if not wrong:
            found.append(Prepared(at, entry["village"], entry["item"], entry["period"], entry["body"]))
    if faults:
        raise FileFaultsError(faults)
    return found


def _entries_of(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"第 {error.lineno} 行第 {error.colno} 个字附近不是有效的 JSON"
        raise FileFaultsError([FileFault(f"第 {error.lineno} 行", message)]) from error
    except RecursionError as error:
        raise FileFaultsError([FileFault("file", "JSON 嵌套太深，请核对格式")]) from error
    entries = value.get("disclosures") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise FileFaultsError([FileFault("disclosures", "应为列表")])
    hidden = [
        FileFault(_path(at), hidden_words(sign))
        for at, text in texts_in(value)
        if (sign := hidden_sign(text, lines=True))
    ]
    if hidden:
        raise FileFaultsError(hidden)
    return entries


def _path(at: tuple[int | str, ...]) -> str:
    """A place in JSON as people write it: `disclosures[3].body.lines[1].summary`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")


class _Sheet:
    """A CSV being read; faults are gathered."""

    def __init__(self, text: str) -> None:
        self._rows = csv.reader(io.StringIO(text, newline=""))
        self._faults: list[FileFault] = []
        self._found: dict[tuple[str, str, str], Prepared] = {}
        self._cells: dict[str, str] = {}
        self._line = 1

    def read(self) -> list[Prepared]:
        """Every disclosure of the file, in the order of its first line."""
        try:
            head = next(self._rows, [])
            names = self._head([plain(cell) for cell in head])
            rows = 0
            for cells in self._rows:
                self._line = self._rows.line_num
                if any(cell.strip() for cell in cells):
                    rows += 1
                    self._row(names, cells)
                if rows > MAX_ROWS or len(self._faults) > MAX_FAULTS:
                    break
        except csv.Error as error:
            self._faults.append(
                FileFault(f"第 {self._rows.line_num} 行", f"第 {self._rows.line_num} 行读不下去，请检查引号")
            )
            raise FileFaultsError(self._faults) from error
        if rows > MAX_ROWS:
            raise FileFaultsError([FileFault("file", f"文件超过 {MAX_ROWS} 行，请分成几个文件")])
        if self._faults:
            raise FileFaultsError(self._faults)
        return list(self._found.values())

    def _head(self, head: list[str]) -> list[str]:
        names = [_COLUMNS.get(cell, cell if cell in _NAMES else "") for cell in head]
        faults = [
            FileFault("第 1 行", f"第 1 行：不认识的列“{cell}”") for cell, n in zip(head, names, strict=True) if not n
        ]
        faults += [FileFault("第 1 行", f"第 1 行：缺少“{_NAMES[n]}”列") for n in _NEEDED if n not in names]
        faults += [
            FileFault("第 1 行", f"第 1 行：“{_NAMES[n]}”列出现了两次") for n in set(names) if n and names.count(n) > 1
        ]
        if faults:
            raise FileFaultsError(faults)
        return names

    def _row(self, names: list[str], cells: list[str]) -> None:
        if len(cells) != len(names):
            self._refuse("", f"有 {len(cells)} 格，表头有 {len(names)} 格")
            return
        self._cells = dict(zip(names, (c.strip() for c in cells), strict=True))
        hidden = {name: sign for name, text in self._cells.items() if (sign := hidden_sign(text, lines=True))}
        if hidden:
            for name, sign in hidden.items():
                self._refuse(name, hidden_words(sign))
            return
        village, item, period = (self._needed(n) for n in ("village", "item", "period"))
        if village is not None and _SHORTENED.fullmatch(village):
            self._refuse("village", f"“{village}”不对，{_SHORTENED_WORDS}")
            return
        row = self._choice("row", _ROWS)
        account = self._read("account", to_account)
        if None in {village, item, period, row, account}:
            return
        key = (plain(str(village)), plain(str(item)), plain(str(period)))
        draft = self._found.setdefault(
            key, Prepared(f"第 {self._line} 行", *key, body={"kind": "ledger", "accounts": [], "lines": []})
        )
        if row == "account":
            self._account(draft, str(account))
        else:
            self._entry(draft, str(account))

    def _account(self, draft: Prepared, account: str) -> None:
        opening, closing = self._read("opening", to_fen), self._read("closing", to_fen)
        if opening is None or closing is None:
            return
        accounts = draft.body["accounts"]
        draft.lines[f"body.accounts[{len(accounts)}]"] = self._line
        accounts.append({"account": account, "opening_fen": opening, "closing_fen": closing})

    def _entry(self, draft: Prepared, account: str) -> None:
        try:
            day = self._read("date", lambda text: to_day(text, draft.period))
        except ValueError:
            self._refuse("period", f"“{draft.period}”不对，应写作 2026-10、2026Q3、2026H1、2026 或 2026-10-03")
            return
        summary, fen = self._needed("summary"), self._read("amount", to_fen)
        direction = self._choice("direction", _DIRECTIONS)
        line: dict[str, Any] = {
            "date": day,
            "summary": summary,
            "direction": direction,
            "amount_fen": fen,
            "account": account,
        }
        line |= {name: self._cells[name] for name in _WORDS if self._cells.get(name)}
        if self._cells.get("to_account"):
            line["to_account"] = self._read("to_account", to_account)
        if self._cells.get("method"):
            line["method"] = self._choice("method", _METHODS)
        if self._cells.get("word") or self._cells.get("no"):
            line["voucher"] = {"word": self._needed("word"), "no": self._read("no", to_whole)}
        lines = draft.body["lines"]
        draft.lines[f"body.lines[{len(lines)}]"] = self._line
        lines.append(line)

    def _refuse(self, column: str, problem: str) -> None:
        place = f"第 {self._line} 行“{_NAMES[column]}”列" if column else f"第 {self._line} 行"
        self._faults.append(FileFault(place, f"{place}：{problem}"))

    def _needed(self, column: str) -> str | None:
        value = self._cells.get(column, "")
        if not value:
            self._refuse(column, "不能为空，请填写")
            return None
        return value

    def _choice(self, column: str, choices: Mapping[str, str]) -> str | None:
        value = self._needed(column)
        if value is not None and value not in choices:
            self._refuse(column, f"“{value}”不对，应为 {'、'.join(c for c in choices if not c.isascii())} 之一")
            return None
        return choices[value] if value is not None else None

    def _read(self, column: str, read: Callable[[str], Value]) -> Value | None:
        text = self._needed(column)
        if text is None:
            return None
        try:
            return read(text)
        except CellError as error:
            self._refuse(column, f"“{text}”不对，{error}")
            return None


def answer(data: bytes) -> bytes:
    """Every disclosure of a file, a line of JSON each, or its faults in one; what `kit.confined` calls."""
    try:
        lines = [json.dumps(asdict(one)) for one in read_prepared(data)]
    except FileFaultsError as error:
        lines = [json.dumps({"faults": [asdict(fault) for fault in error.faults]})]
    return "\n".join(lines).encode()


def read_answer(written: bytes) -> Iterator[Prepared]:
    """The other end of `answer`; FileFaultsError names every fault."""
    for line in written.split(b"\n"):
        read = json.loads(line)
        if "faults" in read:
            raise FileFaultsError([FileFault(**fault) for fault in read["faults"]])
        yield Prepared(**read)
