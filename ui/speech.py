"""What is read aloud: sentences, with numbers, dates and document numbers as a person says them."""

import re

_DIGITS = "零一二三四五六七八九"
_SPOKEN_ONE = "幺"  # so that 一 and 七 are told apart in telephone numbers
_MARKS = re.compile(r"\[\d{1,2}\]|[#|*《》“”]|^\s*>+|[<>](?!\s*\d)", re.MULTILINE)
_END = re.compile(r"(?<=[。！？；!?;\n])")
_DATE = re.compile(r"(?<!\d)(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
_MONTH = re.compile(r"(?<![\d-])(\d{4})-(0?[1-9]|1[0-2])(?![\d-])(?!年)")
_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?!\d)")
_ADDRESS = re.compile(r"https?://[\w./?=&%#-]+")  # nobody reads one out
_YEAR = re.compile(r"(?<!\d)\d{4}(?=年|[-—~～至]+\d{4}年)|(?<=[〔\[（(])\d{4}(?=[〕\]）)])")
_BRACKETS = re.compile(r"[〔〕[\]]")
# Read digit by digit: telephone numbers and codes, but not amounts.
_AMOUNT = "万亿元人户家个名件套份项条次笔平米吨亩斤公千升度岁天日年月台辆座间所册"
_UNIT = rf"[\d.]*(?:（含）|\(含\))?\s*[余多来]?[美港欧日]?[{_AMOUNT}]"
_CODE = re.compile(
    rf"(?<![\d.])(?:\d{{5,}}|0\d{{2,3}}-\d{{7,8}}|\d{{3,4}}-\d{{3,4}}-\d{{3,4}})"
    rf"(?!{_UNIT})(?![\d.]*\s*[-—~～至到]+\s*\d+{_UNIT})|(?<=拨打|电话|热线|致电)\d{{3,4}}(?!\d)"
)
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
_RANGE = re.compile(r"(?<=[\d点分%年零一二三四五六七八九])[-—~～]+(?=[\d零一二三四五六七八九])")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_FRACTION = re.compile(r"(?<![\d/.])(\d{1,2})/(\d{1,2})(?![\d/])")
_EACH = re.compile(r"(?<=[元人天次月])/(?=[\u4e00-\u9fff])")
_SIGNS = str.maketrans({
    "㎡": "平方米", "≥": "不少于", "≤": "不超过", "℃": "摄氏度",
    ">": "大于", "＞": "大于", "<": "小于", "＜": "小于",
})  # fmt: skip


def sentences(text: str) -> list[str]:
    """Return a text as sentences to be spoken one after the other."""
    pieces = (spoken(piece) for piece in _END.split(text))
    return [piece for piece in pieces if re.search(r"\w", piece)]


def spoken(text: str) -> str:
    """Return a text as a person would read it."""
    text = _GROUPED.sub("", _MARKS.sub("", _ADDRESS.sub("网址", text)))
    text = _DATE.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", text)
    text = _MONTH.sub(lambda m: f"{m[1]}年{int(m[2])}月", text)
    text = _YEAR.sub(lambda m: digits(m[0]), text)
    text = _CLOCK.sub(_time, text)
    text = _CODE.sub(lambda m: digits(m[0]).replace("一", _SPOKEN_ONE), _BRACKETS.sub("", text))
    text = _PERCENT.sub(r"百分之\1", _RANGE.sub("至", text))
    text = _EACH.sub("每", _FRACTION.sub(r"\2分之\1", text))
    return " ".join(text.translate(_SIGNS).split())


def _time(clock: re.Match[str]) -> str:
    return f"{int(clock[1])}点" + (f"{int(clock[2])}分" if int(clock[2]) else "")


def digits(number: str) -> str:
    """Return a number digit by digit; signs between are left out."""
    return "".join(_DIGITS[int(c)] for c in number if c.isdigit())
