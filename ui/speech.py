"""What is read aloud: sentences, with numbers, dates and document numbers as a person says them."""

import re

_DIGITS = "零一二三四五六七八九"
_MARKS = re.compile(r"\[\d+\]|[#>|*《》“”]")
_END = re.compile(r"(?<=[。！？；!?;\n])")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_YEAR = re.compile(r"(\d{4})(?=年)|(?<=[〔\[（(])(\d{4})(?=[〕\]）)])")
_BRACKETS = re.compile(r"[〔〕]")
# Read digit by digit: telephone numbers and codes.
_CODE = re.compile(
    r"(?<![\d.])(?:\d{5,}|0\d{2,3}-\d{7,8}|\d{3,4}-\d{3,4}-\d{3,4})(?![\d.]*[万亿元人户家个平米吨])"
)
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
_RANGE = re.compile(r"(?<=\d)[-—~～](?=\d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


def sentences(text: str) -> list[str]:
    """Return a text as sentences to be spoken one after the other."""
    pieces = (spoken(piece) for piece in _END.split(text))
    return [piece for piece in pieces if re.search(r"\w", piece)]


def spoken(text: str) -> str:
    """Return a text as a person would read it."""
    text = _GROUPED.sub("", _MARKS.sub("", text))
    text = _DATE.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", text)
    text = _YEAR.sub(lambda m: digits(m[0]), text)
    text = _CODE.sub(lambda m: digits(m[0]), _BRACKETS.sub("", text))
    text = _PERCENT.sub(r"百分之\1", text)
    return " ".join(_RANGE.sub("至", text).split())


def digits(number: str) -> str:
    """Return a number digit by digit; signs between are left out."""
    return "".join(_DIGITS[int(c)] for c in number if c.isdigit())
