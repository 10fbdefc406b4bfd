"""What is asked for of one thing, such as its deadline or its fee, and what a text says of it.

Kinds of answers (``assistant.asking``) are too wide here: a date is no deadline, and a number no
fee. An attribute that a passage does not say is named to the citizen: 原文未提及：办理时限.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.topics import ATTRIBUTE
from knowledge.lexical import normalise
from knowledge.numerals import join_thousands


@dataclass(frozen=True, slots=True)
class Attribute:
    """One kind of attribute.

    Attributes:
        label: Its name where the question has none.
        asked: How it is asked for.
        said: Finds what says it in a normalised text.
    """

    label: str
    asked: re.Pattern[str]
    said: Callable[[str], object]

    def is_said(self, text: str) -> bool:
        """Tell whether a text has what says it."""
        return bool(self.said(normalise(text)))


_AMOUNT = r"\d[\d.,]*[万亿千百]*元"
_FEE = r"免费|收费(?!票)|工本费|手续费|登记费|收取|费用\s*[为是由:|\n]"
_PIECE = "[证本册张份件套副枚页次科]"
# A clause goes on over the lines of a list or a table.
_CLAUSE_END = re.compile(r"[。;,]|\n\s*\n")
# Most amounts in policies are received, or limits of something; these are paid, for one thing each.
_PAID = re.compile(
    r"(?<![消经])费|价(?!值)|[押租]金|[缴交付收][纳取付]?\d"
    rf"|每一?{_PIECE}[^。;,\d]{{0,4}}{_AMOUNT}|元[/一每]{_PIECE}"
)
_NOT_PAID = re.compile("补贴|补助|奖|津贴|资助|补偿|报销|罚")


def _says_fee(text: str) -> bool:
    """Tell whether a text says what something costs: a subsidy of 1800元 is no fee."""
    return bool(re.search(_FEE, text)) or any(
        re.search(_AMOUNT, clause) and _PAID.search(clause) and not _NOT_PAID.search(clause)
        for clause in _CLAUSE_END.split(join_thousands(text))
    )


def _attribute(label: str, asked: str, said: str | Callable[[str], object]) -> Attribute:
    finds = re.compile(said).search if isinstance(said, str) else said
    return Attribute(label, re.compile(asked), finds)


# In the order in which they are told apart: 收费标准 is a fee.
_ATTRIBUTES = (
    _attribute(
        "联系电话",
        r"电话|热线|号码",
        r"\d{3,4}-\d{7,8}|(?:电话|热线|拨打|致电)[^。;\n]{0,20}\d{5,}|\d{5,}[^。;\n]{0,8}热线",
    ),
    _attribute(
        "费用",
        r"费用|收费|缴费|价格|[要收花交付](?:多少|几块)?钱|工本费|手续费",
        _says_fee,
    ),
    _attribute(
        "办理时限",
        r"时限|期限|时间|多久|多长时间|几天|几个工作日|多少天|多少个工作日",
        # What one has had for so long (满1年, 6个月以上) is a condition.
        r"(?<![\d月满])\d{1,3}(?:个?工作日|日|天|个?小时|分钟|(?:个月|年)(?!以上))|当场|即时|即办|当[日天]"
        r"|(?<![一二两三四五六七八九十满])[一二两三四五六七八九十]+"
        r"(?:个工作日|个?小时|天|日内|(?:个月|年)(?!以上))|长期",
    ),
    _attribute("比例", r"比例|利率|费率", r"\d%|百分之|分之|\d倍|[一二三四五六七八九]成"),
    _attribute(
        "金额", r"额度|金额|标准|[领拿发补给得][到取放]?多少钱", rf"{_AMOUNT}|\d%|百分之|\d倍|差额"
    ),
    # 多少钱 may ask for what is paid or what is received.
    _attribute("费用", r"多少钱|几块钱", rf"{_AMOUNT}|{_FEE}"),
    _attribute(
        "办理地点",
        r"地点|地址|[去在到上往]哪|哪里|哪儿|什么地方",
        r"局|中心|大厅|窗口|派出所|街道|社区|乡镇|村|机[关构]|银行|部门|网|平台|法院|委员会|[路街]\d*号",
    ),
    _attribute(
        "所需材料",
        r"材料|资料|证件|手续|带什么|带啥",
        r"材料|证明|身份证|户口[簿本]|申请[书表]|复印件|原件|照片|合同|执照|票据|凭证|文件",
    ),
    _attribute(
        "办理条件",
        r"条件|资格|对象|要求|什么人|哪些人",
        r"条件|符合|[未年]?满|以上|不足|属于|具有|应当|可以|情形|的(?:人|家庭|企业|单位|职工)",
    ),
    _attribute(
        "办理流程",
        r"流程|步骤|程序|渠道|方式|怎么办|如何办|咋办",
        r"申请|提交|受理|审[核批查]|办理|登录|提出|拨打|下载|申领|核实",
    ),
)

_NAMED = rf"(?:{ATTRIBUTE.pattern.removesuffix('$')})+"
_AND = r"(?:、|以及|还有|和|与|及|跟)"
_LISTED = re.compile(rf"{_NAMED}(?:{_AND}[^，,。？?、和与及跟\s]{{0,4}}?{_NAMED})+")


def attribute_of(question: str) -> Attribute | None:
    """Return what a question that names no more asks for."""
    return next((one for one in _ATTRIBUTES if one.asked.search(question)), None)


@dataclass(frozen=True, slots=True)
class Named:
    """One of several attributes that a question lists: its name, and a question for it alone.

    Attributes:
        name: As the question has it.
        topic: What it is an attribute of.
        question: Asks for it alone.
    """

    name: str
    topic: str
    question: str


def listed(question: str) -> Sequence[Named]:
    """Return the attributes that a question asks for of one thing; none if it lists none.

    "公积金贷款的额度和办理时限是多少" asks for 额度 and for 办理时限.
    """
    found = _LISTED.search(question)
    if not found:
        return ()
    before, after = question[: found.start()], question[found.end() :]
    names = re.split(_AND, found[0])
    return [Named(name, before, f"{_up_to(before, name)}{name}{after}") for name in names]


def _up_to(before: str, name: str) -> str:
    """Return what stands before a list without the beginning of a name, which may stand there too.

    "居住证的办理地点和办理时限" lists 地点 and 办理时限.
    """
    return next((before[:-n] for n in (3, 2) if before.endswith(name[:n])), before)
