"""A05 缺凭证: a payment from some amount on without a picture of its voucher."""

from dataclasses import replace

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.limits import Limit
from services.audit.rules.lines import Paid, PaperWindow
from services.contracts.values import yuan


def _bare(w: PaperWindow, s: Settings) -> PaperWindow:
    """The lines that need a paper and have none."""
    return replace(w, lines=tuple(x for x in w.lines if x.amount_fen >= s["paper_from_fen"]))


@rule(
    id="A05",
    version="1.0",
    status="active",
    level=1,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=PaperWindow,
    reads=("ledger_lines",),
    settings={},
    limits=(Limit("paper_from_fen", "应附凭证的金额"),),
    narrow=_bare,
    zh="缺凭证",
    en="Voucher missing",
    law="本市规定的应附凭证金额；会计基础工作规范第四十七条",
    false_alarms=("凭证存在镇街代理中心，还没有扫描", "银行回单合并装订"),
    ask=("这几笔的原始凭证",),
)
def papers_stand_beside(w: PaperWindow, s: Settings) -> Outcome:
    """一笔支出达到本地规定应附凭证的金额，这一行和整份公开都没有附凭证图片，即提示。本地没有规定金额的看不见。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    lines = _bare(w, s).lines
    if not lines:
        return passed()
    limit = yuan(s["paper_from_fen"])
    steps = [f"第 {x.line} 行支出 {yuan(x.amount_fen)} 元，{limit} 元起应附凭证，没有附" for x in lines]
    total = yuan(sum(x.amount_fen for x in lines))
    return hit(steps=steps, level=1, say=f"有 {len(lines)} 笔支出没有附凭证，合计 {total} 元。")


def _spent(*amounts: int) -> PaperWindow:
    return PaperWindow(is_open=True, lines=tuple(Paid("e1", n, fen) for n, fen in enumerate(amounts, 1)))


_CITY = {"paper_from_fen": 50_000}
CASES = (
    Case("500.00 yuan", _spent(50_000), "hit", 1, _CITY, say="有 1 笔支出没有附凭证，合计 500.00 元。"),
    Case("499.99 yuan", _spent(49_999), "pass", settings=_CITY),
    Case(
        "two of three", _spent(60_000, 10_000, 70_050), "hit", 1, _CITY, say="有 2 笔支出没有附凭证，合计 1,300.50 元。"
    ),
    Case("a reversal", _spent(-60_000), "pass", settings=_CITY),
    Case("all have papers", _spent(), "pass", settings=_CITY),
    Case("withdrawn", PaperWindow(is_open=False, lines=()), "n/a", settings=_CITY, reason="已撤回或内容不可见"),
)
