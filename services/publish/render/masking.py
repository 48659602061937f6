"""Names on the web: natural persons as the catalogue's `masking` says, firms, shops and institutions in full.

When it cannot be told whether a name is a person's, it is treated as one. Officials who handled or approved a line
stay named (domain.md section 6); references to payees never leave.
"""

import re
from typing import Any, Final

from services.contracts.bodies import (
    BODY,
    SUMMED,
    Body,
    ColumnType,
    Contract,
    Ledger,
    Line,
    Notice,
    Roster,
    RosterTotals,
    Table,
    Totals,
)
from services.contracts.catalogue import Masking
from services.publish.render.repeats import Repeats

#: The surnames of the Hundred Family Surnames that are still common; all others are covered by the default.
_SURNAMES: Final = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒"
    "屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸"
    "左石崔吉龚程邢裴陆荣翁荀羊惠甄曲封储靳焦巴牧车侯全班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶黎乔苍双闻莘党谭申冉"
    "桑桂牛尚温别庄晏柴瞿阎慕连茹习艾容向古易慎戈廖步都耿满弘匡国文寇广欧利师巩聂晁勾敖冷辛阚那简饶曾关游权盖益公隋仝闫肖付邸修初"
)
_COMPOUND: Final = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "司徒",
    "夏侯",
    "端木",
    "长孙",
)
#: Words that no person's name has in it.
_INSTITUTIONS: Final = re.compile(
    "公司|集团|商店|商行|商贸|超市|饭店|酒店|旅店|药店|书店|门市|合作社|联社|信用社|供销社|银行|医院|卫生院|卫生室|学校|小学|中学|大学|幼儿园"
    "|委员会|村委|居委|党委|支部|政府|街道办|财政|税务|法院|派出所|服务中心|管理中心|中心$|事务所|研究院|研究所|经销处|经营部|维修部|工程队"
    "|施工队|加油站|电业|供电|电力|自来水|燃气|保险|邮政|移动|联通|电信|基金会|协会|工会|机械厂|加工厂|农场|林场|苗圃|农资|建材|五金店"
    "|工作室|印刷|广告|门店|服务站|服务部|村民小组|村民组|全体|农户|各户|住户"
)
#: Endings of shops and offices which also end some given names: they count only where the whole is no name.
_ENDINGS: Final = frozenset("店厂社局所院站部队行馆会厅办场园处校铺坊组室员户")
_SEPARATORS: Final = re.compile(r"([、，,；;/]|\s+和\s*|\s{2,})")
_AND_OTHERS: Final = re.compile(r"等(?:\d*人?)?(?:\s*\d+\s*人)?$")
_LONGEST_NAME: Final = 4
HIDDEN: Final = "某某"


def is_institution(name: str) -> bool:
    """Tell whether a payee is a firm, shop, institution or group: only then may it stand in full."""
    if _INSTITUTIONS.search(name):
        return True
    if not name or name[-1] not in _ENDINGS:
        return False
    if name.startswith(_COMPOUND):
        return len(name) > _LONGEST_NAME
    return name[0] not in _SURNAMES or len(name) >= _LONGEST_NAME


def _surname(name: str) -> str:
    return name[:2] if name.startswith(_COMPOUND) and len(name) > 2 else name[:1]  # noqa: PLR2004 - two characters


def _masked_one(name: str) -> str:
    bare = re.split(r"[（(]", name, maxsplit=1)[0].strip()
    if not bare or is_institution(bare):
        return name
    others = _AND_OTHERS.search(bare)
    return _surname(bare) + HIDDEN + (others.group() if others and others.start() > 0 else "")


def masked_name(name: str | None, masking: Masking) -> str | None:
    """A payee as the web may show it: `张三丰` -> `张某某`, `某五金店` in full; None where only totals are shown."""
    if name is None or masking is Masking.AGGREGATE:
        return None
    if masking is not Masking.SURNAME:
        return name
    return "".join(
        part if n % 2 else _masked_one(part) for n, part in enumerate(_SEPARATORS.split(name.strip())) if part
    )


def _persons(name: str | None) -> list[tuple[str, str]]:
    """Every person that a cell names, bare and masked: `张三、李四等5人` -> 张三, 李四."""
    found = []
    for part in _SEPARATORS.split(name or "")[::2]:
        bare = _AND_OTHERS.sub("", re.split(r"[（(]", part, maxsplit=1)[0].strip())
        if bare and not is_institution(bare):
            found.append((bare, _surname(bare) + HIDDEN))
    return found


def _named(body: Body) -> list[str | None]:
    """What stands in a body's cells for names."""
    match body:
        case Ledger():
            return [n for x in body.lines for n in (x.payee, x.invoice.seller if x.invoice else None)]
        case Roster():
            return [e.name for e in body.entries]
        case Table():
            places = [n for n, c in enumerate(body.columns) if c.type is ColumnType.NAME]
            return [str(row[n]) for row in body.rows for n in places if row[n] is not None]
        case Notice():
            return _named(body.table) if body.table is not None else []
        case Contract():
            return [body.party]
        case _:
            return []


def _masked_line(line: Line, masking: Masking) -> Line:
    payee = masked_name(line.payee, masking)
    invoice = line.invoice
    if invoice is not None:
        invoice = invoice.model_copy(update={"seller": masked_name(invoice.seller, masking)})
    return line.model_copy(update={"payee": payee, "payee_ref": None, "invoice": invoice, "attachments": ()})


def _numbered(names: list[str | None]) -> list[str | None]:
    """Tell apart people who look the same: 张某某①, 张某某②; a name that stands once stays as it is."""
    seen: dict[str, int] = {}
    found: list[str | None] = []
    for name in names:
        if name is None or HIDDEN not in name or names.count(name) == 1:
            found.append(name)
            continue
        seen[name] = seen.get(name, 0) + 1
        found.append(name + (CIRCLED[seen[name] - 1] if seen[name] <= len(CIRCLED) else f"（{seen[name]}）"))
    return found


#: Numbers of people who look the same once masked.
CIRCLED: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
#: Rosters of social aid: the column 理由 never leaves the village (domain.md section 6).
_SOCIAL_AID: Final = frozenset({"V03", "V12"})


def masked_ledger(body: Ledger, masking: Masking) -> Ledger:
    """A ledger as everybody may read it."""
    if masking is Masking.AGGREGATE:
        totals = Totals(income_fen=body.income_fen, expense_fen=body.expense_fen)
        return body.model_copy(update={"lines": (), "totals": totals})
    return body.model_copy(update={"lines": tuple(_masked_line(x, masking) for x in body.lines)})


def _masked_roster(body: Roster, masking: Masking, item: str) -> Roster:
    if masking is Masking.AGGREGATE:
        amount = body.amount_fen if any(e.amount_fen is not None for e in body.entries) else None
        totals = RosterTotals(entries=len(body.entries), people=body.people, amount_fen=amount)
        return body.model_copy(update={"entries": (), "totals": totals})
    names = _numbered([masked_name(e.name, masking) for e in body.entries])
    entries = []
    for entry, name in zip(body.entries, names, strict=True):
        remark = None if item in _SOCIAL_AID else entry.remark
        entries.append(entry.model_copy(update={"name": name, "payee_ref": None, "remark": remark}))
    return body.model_copy(update={"entries": tuple(entries)})


def _masked_table(body: Table, masking: Masking, repeats: Repeats | None = None) -> Table:
    if masking is Masking.AGGREGATE:
        sums = {c.key: body.column_sum(c.key) for c in body.columns if c.type in SUMMED}
        return body.model_copy(update={"rows": (), "totals": sums})
    places = [n for n, c in enumerate(body.columns) if c.type is ColumnType.NAME]
    rows = [list(row) for row in body.rows]
    for place in places:
        names = [row[place] if isinstance(row[place], str) else None for row in rows]
        for row, name in zip(rows, _numbered([masked_name(n, masking) for n in names]), strict=True):  # type: ignore[arg-type] # texts or None by the line above
            row[place] = name
    if repeats:
        texts = [n for n, c in enumerate(body.columns) if c.type is ColumnType.TEXT]
        for row in rows:
            for place in texts:
                row[place] = repeats.text(cell) if isinstance(cell := row[place], str) else cell
    return body.model_copy(update={"rows": tuple(tuple(row) for row in rows)})


def masked_body(body: Body, masking: Masking, item: str = "") -> Body:
    """A body as everybody may read it; where only totals are shown, no file is."""
    if masking is Masking.AGGREGATE:
        body = body.model_copy(update={"attachments": ()})
    if masking not in {Masking.SURNAME, Masking.AGGREGATE}:
        return _masked_cells(body, masking, item, Repeats(()))
    # The same name is often typed into a title, a summary or a remark as well.
    repeats = Repeats(p for name in _named(body) for p in _persons(name))
    shown = _masked_cells(body, masking, item, repeats)
    return BODY.validate_python(repeats.texts(shown.model_dump())) if repeats else shown


def _masked_cells(body: Body, masking: Masking, item: str, repeats: Repeats) -> Body:
    match body:
        case Ledger():
            return masked_ledger(body, masking)
        case Roster():
            return _masked_roster(body, masking, item)
        case Table():
            return _masked_table(body, masking, repeats)
        case Notice():
            table = _masked_table(body.table, masking, repeats) if body.table is not None else None
            return body.model_copy(update={"table": table})
        case Contract():
            return body.model_copy(update={"party": masked_name(body.party, masking) or HIDDEN})
        case _:
            return body


def public_body(body: Body, masking: Masking, item: str = "") -> dict[str, Any]:
    """The JSON of a body for the public API: names masked, references to payees and inner attachments left out."""
    inner = {"payee_ref", "attachments"}
    left_out: dict[str, Any] = {"lines": {"__all__": inner}, "entries": {"__all__": {"payee_ref"}}}
    kept = {name: what for name, what in left_out.items() if name in type(body).model_fields}
    return masked_body(body, masking, item).model_dump(mode="json", exclude=kept or None)
