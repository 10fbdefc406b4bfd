"""Personal numbers masked: before anything is logged or kept, or leaves for another machine.

What is public stays: hotlines (12345, 95598, 400-…), document numbers, dates, amounts.
"""

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

# One character for one, so that spans in the folded text are spans in the text.
_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WIDTH |= str.maketrans("—–‐‑−\u3000\u00a0", "-----  ")
_NUMERALS = str.maketrans("零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "0001234567891123456789")
# A number is looked for in figures first: the 一 that follows one (一直) is none of it.
_FOLDS = (_WIDTH, {**_WIDTH, **_NUMERALS})

_BIRTH = r"(?:19|20)\d\d[\ -]?(?:0[1-9]|1[0-2])[\ -]?(?:0[1-9]|[12]\d|3[01])"
_CARD = r"""[3-69]\d{3}([\ -])\d{4}\2\d{4}\2\d{4}(?:\2\d{1,3})?
            | [3-69]\d{5}[\ -]\d{10,13}"""
_IS = r"[\s:是为(]{0,3}"  # between the name of a number and the number
_NO_AMOUNT = r"(?!(?:[美港欧日]|人民币)?元(?![旦宵]))"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼新"
_PLATE_LETTERS = "A-HJ-NP-Z"


class _Kind(NamedTuple):
    """One kind of number: its name, how it is written, and what proves it."""

    name: str
    pattern: re.Pattern[str]  # the group ``number`` is what is masked
    proven: Callable[[str], bool] = lambda _: True


def mask(text: str, public: str = "") -> str:
    """Return the text with each personal number replaced by the name of its kind.

    Args:
        text: What may hold such numbers.
        public: What is known to all: numbers that stand here, too, are kept.
    """
    for fold, kind in product(_FOLDS, _KINDS):
        for start, end in reversed(list(_spans(text.translate(fold), kind))):
            if text[start:end] not in public:
                text = f"{text[:start]}【{kind.name}】{text[end:]}"
    return text


def _spans(folded: str, kind: _Kind) -> Iterator[tuple[int, int]]:
    at = 0
    while found := kind.pattern.search(folded, at):
        if kind.proven(found["number"]):
            yield found.span("number")
            at = found.end()
        else:
            at = found.start() + 1


def _is_identity(number: str) -> bool:
    """Check the last character (GB 11643: ISO 7064 MOD 11-2)."""
    characters = re.sub(r"[^\dX]", "", number.upper())
    weighted = sum(int(c) * 2 ** (17 - i) for i, c in enumerate(characters[:17]))
    return "10X98765432"[weighted % 11] == characters[17]


def _is_card(number: str) -> bool:
    """Check the last digit (Luhn, ISO/IEC 7812)."""
    digits = [int(c) for c in reversed(re.sub(r"\D", "", number))]
    return (
        sum(d if at % 2 == 0 else sum(divmod(2 * d, 10)) for at, d in enumerate(digits)) % 10 == 0
    )


def _kind(name: str, pattern: str, proven: Callable[[str], bool] = lambda _: True) -> _Kind:
    return _Kind(name, re.compile(pattern, re.VERBOSE | re.IGNORECASE), proven)


_KINDS = (
    _kind(
        "身份证号",
        rf"(?<!\d)(?P<number>[1-9]\d{{5}}[\ -]?{_BIRTH}[\ -]?\d{{3}}[\dX])(?!\d)",
        _is_identity,
    ),
    # One mistyped digit makes a number no less personal: a birth date in it tells as well.
    _kind(
        "身份证号",
        rf"(?<!\d)(?<!编号)(?<!单号)(?<![编单]号[:是为\s])(?P<number>[1-8]\d{{5}}[\ -]?{_BIRTH}"
        r"[\ -]?\d{3}[\dX])(?![A-Z\d])",
    ),
    _kind(
        "身份证号",
        rf"(?:身份证件?|身份|证件)(?:号码|编号|号)?{_IS}"
        r"(?P<number>[1-9]\d{5}[\ -]?\d{6,8}[\ -]?\d{2,5}X?)(?![A-Z\d])",
    ),
    _kind("银行卡号", rf"(?<!\d)(?P<number>[1-9]\d{{15,18}}|{_CARD})(?!\d)", _is_card),
    _kind(
        "银行卡号",
        rf"(?:银行卡|储蓄卡|信用卡|借记卡|卡号)(?:号码|号)?{_IS}"
        rf"(?P<number>[1-9]\d{{12,18}}|{_CARD})(?!\d)",
    ),
    _kind(
        "手机号",
        rf"""(?<![\d¥￥$])(?P<number>(?:(?:\+|00)?86[\ -]?)?
            1[3-9](?:\d{{9}} | \d[\ -]\d{{8}} | \d{{5}}[\ -]\d{{4}} | \d[\ .-]\d{{4}}[\ .-]\d{{4}}
            | \d\d[\ -]\d{{4}}[\ -]\d{{3}} | \d[\ -]\d{{3}}[\ -]\d{{5}}
            | (?<!\d[\ -]1\d)\d{{3}}[\ -]\d{{6}}(?!\ ?\d|\ ?[万亿]))
        )(?!\d){_NO_AMOUNT}""",
    ),
    _kind(
        "电话号码",
        r"""(?<!\d)(?P<number>(?:
            \(0(?:10|2\d|[3-9]\d\d)\) | (?:0|(?:\+|00)86[\ -]?0?)(?:10|2\d|[3-9]\d\d)
            )[\ -]{0,2}[2-8]\d{2,3}[\ -]?\d{4}(?:(?:-|转|ext\.?)\ ?\d{1,5})?
        )(?!\d)""",
    ),
    _kind(
        "电话号码",
        rf"(?:电话|座机|固话|致电|tel)(?:号码|号)?{_IS}(?P<number>[2-8]\d{{2,3}}-?\d{{4}})(?!\d)",
    ),
    _kind("电话号码", r"(?P<number>\+[1-9]\d{0,2}(?:[\ -]?\d){7,12})(?!\d)"),
    _kind(
        "护照号",
        r"(?<![A-Z\d])(?P<number>[EGDSPHMC]\d{8}|[EC][A-HJ-NP-Z]\d{7}|1[45]\d{7})(?![A-Z\d])"
        rf"{_NO_AMOUNT}",
    ),
    _kind("护照号", rf"护照(?:号码|号)?{_IS}(?P<number>[A-Z]{{0,2}}\d{{6,9}})(?![A-Z\d])"),
    _kind(
        "车牌号",
        rf"""(?P<number>[{_PROVINCES}](?!GB)[{_PLATE_LETTERS}][\ ·•・-]?
            (?:[{_PLATE_LETTERS}\d]{{4}}[{_PLATE_LETTERS}\d挂学警港澳]
            | [{_PLATE_LETTERS}][{_PLATE_LETTERS}\d]\d{{4}} | \d{{5}}[{_PLATE_LETTERS}])
        )(?![A-Z\d])""",
    ),
)
