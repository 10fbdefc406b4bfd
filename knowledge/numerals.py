"""Numbers and dates written in one way, so that 十二点三亿, 12.3亿 and 1,230,000,000 are equal.

A number becomes ``⟨value⟩`` between two marks, so that 5700 is never found inside 15700, nor 2000
inside 2000万.
"""

import re
from decimal import Decimal

OPEN, CLOSE = "\ue000", "\ue001"  # private use: no document means anything by them

_DIGIT = {c: str(i) for i, c in enumerate("零一二三四五六七八九")}
_DIGIT |= {"〇": "0", "○": "0", "两": "2"}
_DIGIT |= {c: str(i) for i, c in enumerate("壹贰叁肆伍陆柒捌玖", 1)}
_UNITS = {"亿": 8, "万": 4, "千": 3, "仟": 3, "百": 2, "佰": 2, "十": 1, "拾": 1}
_NUMERALS = "".join(_DIGIT) + "".join(_UNITS)

# 千 before these is part of the unit's own name: 5千克 is no 5000 of anything.
_UNIT = "(?:[亿万百佰十拾]|[千仟](?![克米瓦伏帕卡字]))"
_ARABIC = rf"\d+(?:\.\d+)?(?:{_UNIT}+(?:\d+(?:\.\d+)?(?={_UNIT}))?)*"
_CHINESE = rf"[{_NUMERALS}]+(?:点[{''.join(_DIGIT)}]+[万亿]*)?"
_NUMBER = re.compile(rf"(百分之)?({_ARABIC}|{_CHINESE})([%‰]?)")
# A single Chinese numeral is as often part of a word (统一, 万一): it is a number only before
# what can be counted, or behind 第 and in dates.
_COUNTED = re.compile(
    "[个项条款章节件批次种类家户名人位台套间所座处辆艘架年月日号天周时分秒点岁元角吨米亩倍成期轮届级层等楼步份张"
    "支只头方县市区镇乡村部万亿千百十]"
)

_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2}))"
    r"(?![\d.])"
)
_MONTH = re.compile(r"(?<!\d)((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\d-])")
_DAY = re.compile(r"(?<=月)(\d{1,2}|[一二三四五六七八九十]{1,3})号")
_SEPARATED = re.compile(
    r"(?<![\d.,])\d{1,3}(?:(?:,\d{3})+|(?:[\u2009\u202f\u00a0]\d{3})+|(?: \d{3}){2,})(?![\d,])"
)

# 八十余家 and 八十多家 say the same. So do not 近80家, 80家以上 and 80家: they stay apart.
_AND_MORE = re.compile(rf"(?<=[\d{_NUMERALS}])余(?={_COUNTED.pattern})")


def join_thousands(text: str) -> str:
    """Take the separators out of 1,230,000 and 1 230 000; 12,3456 is left alone."""
    return _SEPARATED.sub(lambda match: re.sub(r"\D", "", match[0]), text)


def canonical(text: str) -> str:
    """Write every number and date of a text (half-width, without spaces) in one way."""
    text = _DATE.sub(_spelled_date, text)
    text = _MONTH.sub(r"\1年\2月", text)
    text = _DAY.sub(r"\1日", text)
    text = _AND_MORE.sub("多", text)
    return _NUMBER.sub(_spelled_number, text)


def _spelled_date(match: re.Match[str]) -> str:
    year, month, day = (part for part in match.groups() if part)
    return f"{year}年{month}月{day}日"


def _spelled_number(match: re.Match[str]) -> str:
    percent, run, sign = match.groups()
    if not percent and _is_part_of_a_word(match):
        return match[0]
    number = value(run)
    if number is None:
        return match[0]
    return f"{OPEN}{number.normalize():f}{'%' if percent else sign}{CLOSE}"


def _is_part_of_a_word(match: re.Match[str]) -> bool:
    run, text = match[2], match.string
    if len(run) > 1 or run.isdigit():
        return False
    return not (
        text[: match.start()].endswith("第") or _COUNTED.match(text[match.end() : match.end() + 1])
    )


def value(run: str) -> Decimal | None:
    """Return what a run of digits, Chinese numerals and units is worth; ``None`` for 千万 or 百亿.

    Units as spoken: 1亿2000万 is 120,000,000 and 10万亿 is 10¹³.
    """
    if not run:
        return Decimal(0)
    for unit, power in _UNITS.items():
        left, found, right = run.rpartition(unit)
        if found:
            return _in_units(left, power, right)
    digits = "".join(_DIGIT.get(c, c) for c in run).replace("点", ".")
    return Decimal(digits) if re.fullmatch(r"\d+(\.\d+)?", digits) else None


def _in_units(left: str, power: int, right: str) -> Decimal | None:
    if not left and power > 1:
        return None
    many = value(left) if left else Decimal(1)
    rest = value(right)
    return None if many is None or rest is None else many.scaleb(power) + rest
