"""Repeals where a Chinese official document states them: its own, and those of other documents.

What is only asked about, planned or put up for comment repeals nothing.
"""

import re

CITING = re.compile("根据|按照|依据|依照|遵照|贯彻")

_TITLE_REPEALED = re.compile(
    r"[（(【\[〔]\s*(?:已经?|全文|现已)?\s*(?:被)?(?:废止|失效)\s*[）)】\]〕]"
)
_STATED_REPEALED = re.compile(
    r"(?m)^(?:本|该|此)(?:文件?|[\u4e00-\u9fff]{0,6}(?:办法|规定|通知|意见|条例))(?:现)?已[^。\n]{0,30}?(?:废止|失效)"
    r"|(?:^|\||(?=【))\s*【?(?:文件)?(?:有效性|时效性?|时效状态|效力(?:状态)?|状态)\s*[:：|】]\s*[:：]?"
    r"\s*(?:现|已经?|全文|被)*(?:废止|失效)(?!日期|时间)"
)
_NAME = (
    r"《(?:[^《》\n]|《[^《》\n]{1,120}》){1,160}》"
    r"(?:\s*[（(](?:[^（）()\n]|[（(][^（）()\n]{1,20}[）)]){1,60}[）)])?"
)
_NAMES = rf"{_NAME}(?:(?:[、，,和及与\s]|以及){{0,3}}{_NAME}){{0,40}}"
_IN_CLAUSE = r"[^。；，,\n《》]"
_ENDS = "(?:废止|停止执行)"
_STARTS = "(?:正式|开始|公布|颁布)?(?:施行|实施|生效)"
_NOT = (
    "(?:[不未没非无]|暂缓)"
    "(?:有|再|予以?|被|会|应当?|得|能|宜|宣布|正式|必|用|需要?|须|曾|经|准备|打算|计划)*"
)
# 自《乙法》施行之日起, 被《乙法》: names what puts an end to another, or the day, not what ends.
_BY = rf"(?:被{_NAMES}|[自从]{_IN_CLAUSE}{{0,12}}{_NAMES}(?={_STARTS}))"
_REPEALS = re.compile(
    rf"(?P<before>{_NAMES})(?P<how>(?:(?:(?![不未没非无]){_IN_CLAUSE}){{0,6}}?{_BY})?"
    rf"(?:(?!{_NOT}{_ENDS}){_IN_CLAUSE}){{0,12}}?{_ENDS})(?![后前的之或])"
    rf"|(?:决定|同时)废止(?P<after>{_NAMES})"
    rf"|{_BY}"
)
_UNDECIDED = re.compile(
    "(?<![草虚模])拟(?![定订稿])|是否|[可能应]否|何时|什么时候|建议|如果|一旦|假如"
    rf"|(?:将|准备|打算|计划|考虑)(?:予以?|被|会)*{_ENDS}"
)
_ASKED = re.compile(r"了?[吗么否]|[^。；！!\n？?]{0,60}(?:[？?]|征求)")
DRAFT = re.compile("征求.{0,40}意见|草案|送审稿|讨论稿")
_CLAUSE_CHARS = 150  # before a name, at most, that can say how the clause is meant


def is_repealed(title: str, head: str) -> bool:
    """Tell whether a document says of itself that it was repealed.

    Args:
        title: Its title.
        head: The lines before its body.
    """
    return bool(
        _TITLE_REPEALED.search(title)
        or _TITLE_REPEALED.search("\n".join(head.split("\n")[:5]))
        or _STATED_REPEALED.search(head)
    )


def repealed_names(text: str, title: str) -> list[str]:
    """Return the titles, in 《》 and with their numbers, of what a document repeals.

    Args:
        text: The whole text.
        title: Its title: a draft repeals nothing.
    """
    names: dict[str, None] = {}
    for match in () if DRAFT.search(title) else _REPEALS.finditer(text):
        listed = match["before"] or match["after"]
        if listed and _is_stated(match):
            names |= dict.fromkeys(name.group() for name in re.finditer(_NAME, listed))
    return list(names)


def _is_stated(repeal: re.Match[str]) -> bool:
    """Tell whether something is repealed, and not a basis, a plan or a question."""
    text, start = repeal.string, repeal.start()
    before = re.sub(_NAME, "", text[max(0, start - _CLAUSE_CHARS) : start])
    clause = re.split(r"[。；，,\n》]", before)[-1]
    how = re.sub(_NAME, "", repeal["how"] or "")
    return not (
        CITING.search(clause[-4:])
        or _UNDECIDED.search(clause + how)
        or _ASKED.match(text, repeal.end())
    )
