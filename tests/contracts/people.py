"""Made-up people in made-up cells and sentences: every surname, given names, and words that stand beside names.

Written from what ledgers, lists and notices look like; it knows nothing of how names are found. By seed.
"""

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from services.contracts.names.surnames import COMPOUND, SURNAMES, words

#: Given names as villagers bear them, old and young; among them words that look like shops, offices and kin.
GIVEN: Final = sorted(
    words(
        "桂兰 德福 铁柱 建国 国庆 秀英 淑珍 玉兰 志强 长江 大山 春生 冬梅 有才 富贵 小平 凤霞 海涛 文斌 永刚 立新 景阳 广田 福来 满仓 树林 金凤 俊杰 子轩 梓涵 "
        "浩然 欣怡 宇航 思雨 佳琪 明轩 晓东 红梅 卫东 援朝 爱民 建材 移动 保险 电力 学文 家宝 兴家 春园 文社 金库 长岭 和平 之涛 与同 余庆 二妮 小五 三丰 老四 万年 "
        "丽 强 军 伟 敏 静 磊 洋 艳 勇 杰 涛 明 超 霞 刚 园 社 会 五 三 丁 木 云 龙 山 林 河 海 春 秋 才 旺 忠 义 仁 礼"
    )
)
#: These are words wherever they stand; nobody is called so.
WORDS: Final = frozenset(
    {
        "公园",
        "商会",
        "商社",
        "苗木",
        "金秋",
        "文明",
        "印社",
        "家园",
        "寿和平",
        "寿保险",
        "第五社",
        "方木",
        "东山",
        "东河",
        "后山",
        "山林",
    }
)
#: Where a name stands in a cell; {} is the name, {b} another. What the web must go on showing is all the rest.
CELLS: Final = (
    "{}", "{}等5户", "{}等12人", "{}等三户", "{}户", "{}家", "{}家属", "{}及家属", "{}代领", "{}工资", "{}误工", "{}同志", "{}师傅", "{}妻子", "{}之子", "{}本人",
    "{}夫妇", "{}护林员", "{}保管员", "{}保洁员", "{}水管员", "{}会计", "{}村医", "农户{}", "住户{}", "村民{}", "贫困户{}", "低保户{}", "五保户{}", "脱贫户{}", "监测户{}",
    "承包户{}", "种粮大户{}", "退役军人{}", "护林员{}", "会计{}", "司机{}", "瓦工{}", "电工{}", "三组{}", "第2组{}", "二队{}", "5组村民{}", "村民组{}", "一组低保户{}",
    "学生{}", "老党员{}", "户主{}", "户主：{}", "姓名：{}", "收款人{}", "承租人{}", "西海村{}", "西海村三组{}", "村委会{}", "供电所{}", "{}、{b}", "{}，{b}", "{},{b}", "{}/{b}",
    "{} {b}", "{}和{b}", "{}与{b}", "{}及{b}", "{}、{b}等8人", "{}；{b}", "{}（{b}代领）", "{}({b})", "{}（低保户）", "{}[三组]", "老支书{}", "{}（已故）", "{}零工费", "{}果园",
    "{}房租", "{}押金", "{}(大)", "  {}  ", "{}1", "1.{}", "{}3人", "代{}", "{}转{b}", "{}儿子{b}", "{}母亲",
)  # fmt: skip
#: Sentences with a name in them.
SENTENCES: Final = (
    "付{}住院慰问金", "付{}工资", "支付{}零工费（3天）", "付给{}误工补贴", "付{}、{b}扫雪误工费", "付{}货款", "付{}运费", "付{}铲车费2天", "退{}押金", "退还{}承包保证金",
    "收{}承包款", "收{}房租", "慰问困难户{}大米一袋", "慰问{}", "慰问老党员{}", "走访{}家", "补助户主{}危房改造", "补助{}丧葬费", "资助贫困学生{}", "资助大学生{}5000元",
    "低保户{}因患糖尿病住院", "五保户{}去世", "村民{}反映路灯不亮", "村民{}、{b}等59人联名要求公开账目", "{}、{b}、{c}等23户申请公开征地款", "由{}代领", "替{}签字",
    "{}住院补助", "{}借款", "{}垫付办公用品款", "赔偿{}青苗费", "发放{}高龄补贴", "雇{}拉沙子", "请{}修水泵", "护林员{}工资", "三组{}领取补助", "{}家房屋倒塌", "欠{}工程款",
    "还{}借款", "给{}送慰问品", "与{}签订承包合同", "将鱼塘承包给{}", "同意{}承包东山果园", "经查{}占用集体土地", "户主{}，家庭人口3人", "户主：{}，人口3", "申请人：{}",
    "{}（三组）困难补助", "发{}、{b}、{c}三人值班补助", "贫困户{}之子{b}考上大学", "按照{}的要求退款", "因{}患病，临时救助1000元", "司机{}出车费", "付瓦工{}工时费",
    "独居老人{}摔伤", "残疾人{}护理补贴", "孤儿{}生活费", "村民{}举报砂石场", "{}同志任护林员", "{}夫妇离婚后分户", "根据{}的申请，减免水费", "转付{}土地流转费",
)  # fmt: skip
#: The most usual surnames make nine tenths of all people; a sentence is drawn from them, a cell from all.
USUAL: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"


class Case(NamedTuple):
    """A text, the full names in it, and what is left of it when they are gone."""

    text: str
    names: tuple[str, ...]
    surnames: tuple[str, ...]
    template: str


def _case(dice: random.Random, template: str, surnames: list[str]) -> Case:
    chosen = [s for s, place in zip(surnames, ("{}", "{b}", "{c}"), strict=True) if place in template]
    names = [next(n for _ in iter(int, 1) if (n := s + dice.choice(GIVEN)) not in WORDS) for s in chosen]
    text = template.format(names[0], b=names[1] if len(names) > 1 else "", c=names[-1])
    return Case(text, tuple(names), tuple(chosen), template)


def cells(seed: int) -> Iterator[Case]:
    """Every surname in every template for cells, with a given name by chance."""
    dice = random.Random(seed)  # noqa: S311 - made-up people
    # 籍 behind 低保户 reads as 户籍, 付 behind 代 as 代付: no grammar tells.
    everybody = sorted((SURNAMES | COMPOUND) - {"籍", "付"})
    for surname in everybody:
        for template in CELLS:
            yield _case(dice, template, [surname, dice.choice(everybody), dice.choice(everybody)])


def sentences(seed: int, count: int) -> Iterator[Case]:
    """Sentences about people, nine in ten with a usual surname."""
    dice = random.Random(seed)  # noqa: S311 - made-up people
    everybody = sorted(SURNAMES | COMPOUND)
    for n in range(count):
        surnames = [dice.choice(USUAL) if dice.random() < 0.9 else dice.choice(everybody) for _ in range(3)]
        yield _case(dice, SENTENCES[n % len(SENTENCES)], surnames)
