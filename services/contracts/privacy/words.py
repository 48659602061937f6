"""What words give away: homes, illness and disability, minors, plates, e-mail and other contacts, masked numbers. Pure.

Every pattern takes a bounded number of steps from where it begins. What is public by its nature stays silent: offices,
plots of land, programmes for classes of people, hospitals, public lines.
"""

import re
from collections.abc import Iterator
from typing import Final

from services.contracts.privacy.hits import Hit, Kind

# -- numbers of which a part was starred out: the birth date or most of the digits are still to be read ------------

_STAR: Final = r"[*×✱✳●•○◯■□█#?Xx某_]"
_HALF_ID: Final = re.compile(
    r"(?<![0-9A-Za-z])[1-8][0-9]{5}[ \-]?(?:18|19|20)[0-9]{2}[ \-]?(?:0[1-9]|1[0-2])[ \-]?(?:0[1-9]|[12][0-9]|3[01])"
    rf"[ \-]?[0-9]{{0,3}}{_STAR}{{1,6}}[0-9Xx]{{0,3}}(?![0-9A-Za-z*])"
    rf"|(?<![0-9A-Za-z])[1-8][0-9]{{5}}{_STAR}{{2,4}}[0-9]{{7,9}}[0-9Xx](?![0-9A-Za-z*])"
    rf"|(?<![0-9A-Za-z])[1-8][0-9]{{9,13}}{_STAR}{{1,4}}[0-9]{{2,4}}[0-9Xx](?![0-9A-Za-z*])"
)
_HALF_PHONE: Final = re.compile(r"(?<![0-9A-Za-z*])1[3-9][0-9]{7,8}[*×●•○■□█]{1,2}(?![0-9A-Za-z*])")

# -- accounts with letters -------------------------------------------------------------------------------------------

_LETTERED: Final = re.compile(
    r"(?:社保|社会保障|医保|医疗保险|养老保险|公积金|存折|一卡通|惠农卡|银行卡|残疾证|低保证|[账帐]号)"
    r"[^\x00。;0-9A-Za-z]{0,8}([A-Za-z]{1,3}-?[0-9]{6,20}[A-Za-z0-9]{0,4}|[0-9]{1,3}[A-Za-z][0-9A-Za-z]{6,20})(?![0-9A-Za-z])"
)

_PAPERS: Final = re.compile(
    r"(?:护照|通行证|军官证|士官证|居留证|回乡证)[^\x00。;0-9A-Za-z]{0,6}([A-Za-z]{1,2}[0-9]{7,9})(?![0-9A-Za-z])"
)

# -- plates and contacts ---------------------------------------------------------------------------------------------

_PLATE: Final = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]\s?[A-HJ-NP-Za-hj-np-z][\s·•.・\-]{0,2}"
    r"(?=[A-Za-z]{0,2}[0-9])(?:[0-9A-HJ-NP-Za-hj-np-z]{5,6}[挂学警港澳]?|[0-9A-HJ-NP-Za-hj-np-z]{4}[挂学警港澳])(?![0-9A-Za-z])"
)
_PAPER_AFTER: Final = re.compile(r"\s?号?(?:文件|合同|公告|批复|令)")
_MAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{1,64}\s?@\s?(?:[A-Za-z0-9\-]{1,63}\s?\.\s?){1,4}[A-Za-z]{2,10}"
)
_OFFICE_MAIL: Final = re.compile(r"\.gov(?:\.cn)?$|\.edu\.cn$", re.IGNORECASE)
_HANDLE: Final = re.compile(
    r"(?:微信|威信|薇信|[VvWw][Xx]|[Ww]e[Cc]hat|[Ww]eixin|抖音|快手|支付宝)(?!公众|群|小程序|支付|视频号)(?:[账帐]?号码?|ID|id)?[\s:是为加(（]{0,3}"
    r"(?:[A-Za-z][A-Za-z0-9_\-]{5,19}|(?<=[号:])[A-Za-z0-9_\-]{6,20})(?![A-Za-z0-9@])"
)
_QQ: Final = re.compile(r"(?:[Qq][Qq]|[扣企]扣|扣扣)(?!群)(?:[账帐]?号码?)?[\s:是为]{0,3}[1-9][0-9]{4,10}(?![0-9@])")

# -- homes -----------------------------------------------------------------------------------------------------------

_N: Final = r"(?:[0-9]{1,5}|[A-Za-z][0-9]{0,3}|[一二三四五六七八九十百〇零]{1,5})"
_PUBLIC: Final = re.compile(
    r"(?:村委|村部|居委|办公|会议室|会堂|服务[中站大]|便民|活动[中室]|文化|图书|政府|党群|党员|派出所|卫生[院所室]|医院|学校|小学|中学|幼儿园|超市|商店|"
    r"商行|公司|饭店|酒店|宾馆|门市|门店|银行|信用社|农商|供销社|工厂|厂房|车间|仓库|综合楼|教学楼|大厅|大厦|中心|广场|礼堂|公厕|路灯|站台|水井|机井|经销|局|法院|检察院|事务所|供电所|营业厅|加油站|合作社)"
    # 医院家属楼, 中心小区: people live there.
    r"(?!家属|职工|宿舍|小区|住宅|家园|花园|公寓)"
)
_TO_ROOM: Final = re.compile(
    rf"(?:{_N}\s?(?:号楼|栋|幢|座|号院|#楼|#|号)\s?[\w\s]{{0,6}}?)?{_N}\s?(?:单元|门|号楼|栋|幢|座|#楼|#)\s?[,、\-]?\s?"
    rf"(?:{_N}\s?[层楼]\s?)?(?:[0-9]{{3,4}}|[一二三四五六七八九〇零]{{3,4}}|{_N}\s?[室户号])\s?(?:室|户|号)?(?![0-9楼栋幢])"
    rf"|{_N}\s?单元\s?(?:{_N}\s?[层楼])?\s?[东西中南北]{{1,2}}\s?[户门室]"
)
_ESTATE: Final = re.compile(
    rf"(?:小区|家园|花园|公寓|新村|[苑园里府城庭居])\s?{_N}\s?-\s?{_N}\s?-\s?[0-9]{{1,4}}(?![0-9\-])"
)
_LANE: Final = re.compile(
    rf"(?:胡同|巷子?|弄堂?)\s?(?:第)?{_N}\s?(?:-\s?[0-9]{{1,3}}\s?)?号(?!地块|井|杆|楼|线|路灯|标段)"
)
_RURAL: Final = re.compile(
    rf"(?:(?<!机)[组屯队沟庄湾寨坡岭甸堡里]|村民小组|自然村|路|街|大街|大道|村)\s?(?:第)?{_N}\s?(?:-\s?[0-9]{{1,3}}\s?)?号(?:院|附[0-9]{{1,3}}号)?"
    r"(?:[0-9一二三四五六七八九十]{1,2}楼)?(?=$|门牌|[\x00,，。;；、)）(（\s户家住的]|房前|屋后)"
)
_HOME: Final = re.compile(
    r"(?P<word>家住|住址|住在|家庭(?:详细)?(?:住址|地址)|现住|常住(?:地址)?|居住(?:地址?|在|于)|户籍(?:所在)?(?:地址?|在)?|户口所在地|暂住|租住|联系地址|通讯地址|收件地址|家在|家位于|地址)"
    rf"[\s:是在为于]{{0,3}}(?P<place>[^\x00。;]{{1,30}}?{_N}\s?(?:号(?:院|楼)?|室|单元|栋|幢|户|门)(?:[^\x00。;,，\s]{{0,12}}?{_N}\s?(?:号楼?|室|单元|栋|幢|户|门)){{0,3}}(?:\s?[0-9]{{3,4}}(?:室)?)?)"
)

# -- illness and disability ------------------------------------------------------------------------------------------

_ILLNESS: Final = (
    r"(?:[胃肺肝肠脑骨血喉鼻咽食道乳腺宫颈卵巢胰膀胱肾皮肤甲状前列淋巴]{0,3}癌(?:症|晚期)?|[恶良]性肿瘤|[脑肺肝]肿瘤|肿瘤|白血病|淋巴瘤|尿毒症|糖尿病|高血压|高血脂|"
    r"脑梗(?:塞|死)?|脑出血|脑溢血|脑血栓|脑中风|中风|冠心病|心脏病|心肌梗[塞死]|心梗|心衰|心力衰竭|风湿病|类风湿(?:性关节炎)?|红斑狼疮|肝硬化|"
    r"[甲乙丙]肝|肝炎|肺结核|结核病|肺气肿|肺炎|哮喘|慢阻肺|尘肺病?|矽肺病?|艾滋病?|梅毒|性病|精神分裂症?|精神病|精神障碍|抑郁症?|躁郁症|癫痫|羊癫疯|"
    r"帕金森(?:病|症)?|老年痴呆症?|阿尔茨海默症?|痴呆|骨折|股骨头坏死|腰椎间盘突出|偏瘫|截瘫|瘫痪|肾衰竭?|肾病|肾炎|肾功能衰竭|透析|化疗|放疗|血友病|"
    r"再生障碍性贫血|地中海贫血|脑瘫|自闭症|孤独症|唐氏综合征|重症肌无力|渐冻症?|白内障|青光眼|先天性心脏病|先心病|胃溃疡|痛风|甲亢|静脉曲张|"
    r"[聋盲]哑|双目失明|失明|失聪|智力低下|流产|不孕|难产|高位截肢|截肢|车祸重伤|植物人|"
    r"阑尾炎|关节炎|胆囊炎|胰腺炎|脑膜炎|脊柱炎|胃炎|肠炎|[肾胆]结石|小儿麻痹症?|脑萎缩|肌肉?萎缩|心绞痛|胃病|肺心病|腰间盘突出|脊髓损伤|怀孕(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2})个?(?:多)?月)"
)
_SICK: Final = re.compile(
    rf"(?:患(?:有|上|了)?|身患|罹患|确诊(?:为|了)?|诊断(?:为|是)|查出|得了?|突发|突患|因|系|有|是)?\s?{_ILLNESS}"
)
_SUFFERS: Final = re.compile(
    r"患(?:有|上|了)|身患|罹患|确诊|诊断[为是]|突[发患]|(?<!忧)(?<!灾)(?<!水)(?<!隐)(?<!旱)患(?!者|难|处)"
)
_OTHER_ILLNESS: Final = re.compile(r"(?:身患|患有?|罹患|患上|得了)[\w]{0,6}(?:病|症|炎|瘤|疾)(?!虫|害)")
_NOBODYS: Final = re.compile(
    r"\s?(?:的)?(?:防[治控范疫]|预防|筛查|宣[传教]|讲座|疫苗|医院|普查|普及|知识|健康教育|健康管理|日(?:宣|活|主)|协会|基金会?|研究|义诊|早筛|检[测查]|监测|科普|"
    r"门诊|专科|专题|培训|管理(?:项目|服务|工作|经费)|随访|签约|补助政策|保险|险|等(?:重|大|慢|特)|人(?:员)?(?:管理|监护|补助|救治|救助|数)|患者(?:管理|监护|救治|随访|健康|[0-9]|数|人数)|人群|人数|率|病区|院|用药保障|"
    r"重点|工作|专项|救助(?:政策|标准)|病种|病防|防保|消杀)"
)
_ANIMAL: Final = re.compile(r"[猪牛羊鸡鸭鹅犬狗禽兔鱼虾树松苗稻麦果畜]\w{0,2}$|动物|牲畜|养殖|兽|布鲁")
_GRADE: Final = re.compile(
    r"(?:(?:[肢视听言智精多]\w{1,3})?(?:残疾|伤残|残障)(?:证|等级|级别|程度)?|残疾?证?(?:等级)?|(?:肢体|视力|听力|言语|智力|精神|多重)(?:残疾)?)[\s:,，(（为是]{0,3}"
    r"(?:肢体|视力|听力|言语|智力|精神|多重)?[一二三四五六七八九十壹贰叁肆1-9IVⅣ]{1,2}\s?级"
    r"|[一二三四壹贰叁肆1-4]\s?级\s?(?:[肢视听言智精多]\w)?(?:残疾|伤残|肢残|智残)"
    r"|(?:肢体|视力|听力|言语|智力|精神|多重)\s?(?:一|二|三|四|重度|轻度|中度)?(?:级)?残疾"
)
_CLASS: Final = re.compile(
    r"\s?[及以和、,至\-~]{0,2}(?:以上|以下|[一二三四1-4]级|[重轻]度)*(?:残疾)?\s?(?:人员|人(?!民)|者|补贴|护理|标准|津贴|两项|的?(?:发|每|按|补|享受)|群体|对象|儿童康复|[0-9]+人|[0-9]+名|证(?:办理|换发|评定|年审)|评定|鉴定)"
)

# -- minors ----------------------------------------------------------------------------------------------------------

_AGE: Final = re.compile(
    r"(?<![0-9一二三四五六七八九十\-~至到—–、])(?:[0-9]|1[0-7]|[一二三四五六七八九]|十[一二三四五六七]?)\s?(?:周?岁)(?!\s?(?:以[上下内]|及|至|到|[-~—–]|龄|[的]?(?:儿童|幼儿|婴|学生|少年|老人)|组|段|或))"
)


#: What must stand somewhere for a pattern to be tried at all: most texts have none of it.
_SIMPLE: Final[tuple[tuple[Kind, re.Pattern[str], re.Pattern[str]], ...]] = (
    ("id_card", re.compile(rf"[0-9][0-9 \-]{_STAR}"), _HALF_ID),
    ("phone", re.compile(r"[0-9]{7}[*×●•○■□█]"), _HALF_PHONE),
    ("contact", re.compile(r"信|[VvWw][XxEe]|抖音|快手|支付宝"), _HANDLE),
    ("contact", re.compile(r"[Qq][Qq]|扣"), _QQ),
    ("minor", re.compile("岁"), _AGE),
)
_HAS_ROOM: Final = re.compile(r"单元|号楼|[栋幢座#]|[0-9一二三四五六七八九十]\s?门")
_HAS_LANE: Final = re.compile("胡同|[巷弄]")
_HAS_GRADE: Final = re.compile("残|肢体|视力|听力|言语|智力|精神|多重")
_HAS_ILLNESS: Final = re.compile(
    "[森湿病癌瘤炎症梗疯瘫透化放疗哑盲聋截患血中衰折痴障疸喘痫毒痛亢疾肺肿郁孕]|结[核石]|艾滋|青光眼|综合征|渐冻|麻痹|萎缩|损伤|流产|难产|不孕|植物人|低下|失[明聪]|[甲乙丙]肝|突出|坏死|曲张|车祸"
)


def word_hits(plain: str) -> Iterator[Hit]:
    """Find what words give away; hits can overlap."""
    for kind, has, pattern in _SIMPLE:
        if has.search(plain):
            for found in pattern.finditer(plain):
                yield Hit(kind, found.start(), found.end())
    yield from _lettered(plain)
    if "@" in plain:
        for found in _MAIL.finditer(plain):
            if not _OFFICE_MAIL.search(found[0]):
                yield Hit("contact", *found.span())
    yield from _homes(plain)
    yield from _health(plain)


def _lettered(plain: str) -> Iterator[Hit]:
    for found in _LETTERED.finditer(plain):
        yield Hit("account", *found.span(1))
    for found in _PAPERS.finditer(plain):
        yield Hit("id_card", *found.span(1))
    for found in _PLATE.finditer(plain):
        if not _PAPER_AFTER.match(plain, found.end()):
            yield Hit("plate", *found.span())


def _homes(plain: str) -> Iterator[Hit]:
    for found in _HOME.finditer(plain):
        is_certain = found["word"] not in {"地址", "联系地址", "通讯地址", "收件地址"}
        if is_certain or not _is_public(plain, *found.span("place")):
            yield Hit("address", *found.span("place"))
    for pattern, is_there in (
        (_TO_ROOM, _HAS_ROOM.search(plain)),
        (_ESTATE, "-" in plain),
        (_LANE, _HAS_LANE.search(plain)),
        (_RURAL, "号" in plain),
    ):
        for found in pattern.finditer(plain) if is_there else ():
            if not _is_public(plain, found.start(), found.end()):
                yield Hit("address", *found.span())


def _is_public(plain: str, start: int, end: int) -> bool:
    """Tell whether an office, a shop or a public thing stands at the place or right beside it."""
    around = (
        plain[max(start - 12, 0) : start].rsplit("\x00", maxsplit=1)[-1]
        + plain[start:end]
        + plain[end : end + 10].split("\x00", maxsplit=1)[0]
    )
    return _PUBLIC.search(around) is not None


def _health(plain: str) -> Iterator[Hit]:
    for found in _GRADE.finditer(plain) if _HAS_GRADE.search(plain) else ():
        if not _CLASS.match(plain, found.end()):
            yield Hit("health", *found.span())
    if not _HAS_ILLNESS.search(plain):
        return
    for found in _SICK.finditer(plain):
        before, after = plain[max(found.start() - 6, 0) : found.start()].rsplit("\x00", maxsplit=1)[-1], found.end()
        if _SUFFERS.search(found[0]) or not (
            _NOBODYS.match(plain, after) or _ANIMAL.search(before) or _CAMPAIGN.search(before)
        ):
            yield Hit("health", *found.span())
    for found in _OTHER_ILLNESS.finditer(plain):
        if not _ANIMAL.search(plain[max(found.start() - 6, 0) : found.start()].rsplit("\x00", maxsplit=1)[-1]):
            yield Hit("health", *found.span())


_CAMPAIGN: Final = re.compile(r"(?:防治?|预防|筛查|关爱|宣传|抗击|防控|接种|普查|消除|治理|关于)\w{0,2}$")
