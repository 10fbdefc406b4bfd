"""What a sentence says that must stand in its source to the letter.

Numbers with their units and bounds, dates, document numbers, titles, quoted words, names, Latin
words and addresses. Texts are compared after folding width, spaces and thousands separators.
"""

import re
from collections.abc import Iterator

from knowledge.lexical import normalise

_CIRCLED = re.compile(
    "[\u2460-\u249b]"
)  # ① is the number of an item; NFKC would make it count something
_SAME = str.maketrans("〔［[【〕］]】“”„「」『』‘’", '(((())))"""""""\'\'')
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_LIST_MARK = re.compile(
    r"^(?:[-*•·]+|\(?\d{1,2}[.、)](?!\d)|\(?[一二三四五六七八九十]{1,3}[)、]|第[一二三四五六七八九十]{1,2}[,、:步]|;)"
)

_CHINESE = "零〇一二两三四五六七八九十百千万亿"
_DATE = r"\d{4}年(?:\d{1,2}月(?:\d{1,2}[日号])?)?|\d{1,2}月\d{1,2}[日号]"
_UNIT = (
    "(?:个?(?:工作日|自然日|季度|月|小时|百分点)|平方米|平方公里|公里|分钟|周岁|年度?|[美港欧日]元"
    "|[元角分月日号天周岁人名户家个项条款章节件批次种类例份台辆套间所座处亩吨米层楼级届轮倍成期%‰])"
)
_SCALE = "[十百千万亿]*"
_BEYOND = "(?:以[上下内外前后])?"
_NUMBER = re.compile(
    rf"{_DATE}|(?:周|星期)[一二三四五六日天]|第[{_CHINESE}]+|百分之[{_CHINESE}点]+"
    rf"|\d+(?:[.:/-]\d+)*{_SCALE}{_UNIT}?{_BEYOND}"
    rf"|[{_CHINESE}]+{_UNIT}{_BEYOND}|[{_CHINESE}]{{2,}}"
)
# A numeral that counts nothing: 一个, 十分, 千万别, 万一.
_NO_NUMBER = re.compile("一[个种项位名件家条次类份批成级]|[十万]分|[千万百]+|万一|一一")
_NUMBERED = re.compile(r"(?P<code>[\u4e00-\u9fff]+)\((?P<year>\d{4})\)(?P<order>\d+)号")
_LEADS_TO_CODE = re.compile(
    "^.*(?:依据|根据|按照|参照|执行|印发|文件|规定|[见按据和与及或的为是])(?=..)"
)
_TITLE = re.compile(r"《([^《》]+)》")
_QUOTED = re.compile(r'"([^"]+)"')
_LATIN = re.compile(r"[a-z][a-z0-9]*(?:[.:/@_?=&#%+-]+[a-z0-9]+)*")
_BODY = "局|厅|委员会|公司|大学|学院|法院|检察院|派出所|管委会|基金会|协会|集团|小程序"
_OFFICE = re.compile(rf"[\u4e00-\u9fff]{{2}}(?:{_BODY})")
_PLACE = re.compile(
    "([\u4e00-\u9fff](?![城全本我各该外跨同当社地园市辖郊街小景校片老灾山特治农在属级和与及或的向由到经对])[\u4e00-\u9fff])"
    "[省市县区镇乡村](?!民(?!政)|[场政区级内外里域委长属分])"
)
_PERSON = re.compile(
    r"(?:联系人|负责人|经办人|局长|主任|书记|市长|县长|区长|院长|会长)[是为:]?([\u4e00-\u9fff]{2,3})"
)

_MEASURED = "元角分月日号天周岁人名户个项级件次种类份台套间亩吨米层楼届倍成期年点平里时钟度及%‰0-9"
_BOUND = re.compile(f"[{_MEASURED}]以[上下内外]")  # not 提供以下材料
_AT_MOST = re.compile(
    "不超过|不高于|不多于|最高|最多|至多|最长|低于|少于|不足|不满|未满"
    f"|(?<=[{_MEASURED}])以[内下](?!简称)"
)
_AT_LEAST = re.compile(
    f"不低于|不少于|不短于|最低(?!生活|工资)|最少|至少|最短|(?<!不)超过|(?<!不)高于"
    f"|(?<=[{_MEASURED}])以上"
)
# What may be left out, but not turned round: 满60周岁 is 60周岁, and 15日内 may be told as 15日.
_FROM = re.compile("满|[后起]$")
_UNTIL = re.compile("[前内止]$")
_DIRECTIONS = ((1, _AT_LEAST), (-1, _AT_MOST), (0.5, _FROM), (-0.5, _UNTIL))
_OPPOSITES = re.compile("未?成年|不?动产|非?营利")  # that are words, no sentences turned round
_BOUND_BEFORE = 6  # characters before a number in which its bound may stand
_BOUND_AFTER = re.compile(r"(?:及|\(含\))?(以[上下]|[以之]?[内前后]|[起止])")
_ENDS_RANGE = re.compile(rf"[{_MEASURED}][至到~-]$")
_BEGINS_RANGE = re.compile(r"[至到~-]\d")


def fold(text: str) -> str:
    """Return the text as it is compared: width, case, quotation marks, spaces folded."""
    return _SPACE.sub("", _THOUSANDS.sub("", normalise(_CIRCLED.sub(";", text)).translate(_SAME)))


def without_list_mark(folded: str) -> str:
    """Return an item of a list without the number or sign that it begins with."""
    return _LIST_MARK.sub("", folded)


def numbers(folded: str) -> Iterator[re.Match[str]]:
    """Yield what counts, measures or dates something."""
    for found in _NUMBER.finditer(folded):
        if not _NO_NUMBER.fullmatch(found[0]):
            yield found


def states_all(sentence: str, source: str, above: str) -> bool:
    """Tell whether a source holds everything in a sentence that must stand there to the letter.

    Args:
        sentence: The sentence, folded, without marks.
        source: What is quoted for it, folded.
        above: Title and headings of the source, folded: they name things, too.
    """
    named = source + "\n" + above
    return (
        all(_states_number(source, found) for found in numbers(sentence))
        and all(_states_code(named, found) for found in _NUMBERED.finditer(sentence))
        and all(title in named for title in _TITLE.findall(sentence))
        and all(words in named for words in _QUOTED.findall(sentence))
        and all(_states_word(named, word) for word in _LATIN.findall(sentence))
        and all(name in named for name in _names(sentence))
        and set(_OPPOSITES.findall(sentence)) <= set(_OPPOSITES.findall(named))
        and all(bound in source for bound in _BOUND.findall(sentence))
        and all(b.search(source) for b in (_AT_MOST, _AT_LEAST) if b.search(sentence))
    )


def unit(number: str) -> str:
    """Return what a number counts: its last characters that are no numeral."""
    if re.fullmatch(_DATE, number):
        return "date"
    return re.sub(rf"^(?:第|百分之)?[\d.:/{_CHINESE}-]*", "", number)


def without_bound(number: str) -> str:
    """Return a number without the 以上 or 以内 that ends it."""
    return re.sub(f"{_BEYOND}$", "", number)


def _states_number(source: str, claim: re.Match[str]) -> bool:
    """Tell whether a source holds a number, in its bound, as often as it was said so far."""
    text, number = claim.string, without_bound(claim[0])
    direction = _direction(text, claim.start(), claim.start() + len(number))
    said, found = (
        sum(abs(direction - _direction(one.string, *one.span())) < 1 for one in there)
        for there in (
            _whole(number).finditer(text, 0, claim.end()),
            _whole(number).finditer(source),
        )
    )
    return found >= said


def _whole(number: str) -> re.Pattern[str]:
    """Match a number that nothing continues: 5元 does not stand in 15元, nor 30日 in 6月30日."""
    before = rf"(?<![{_CHINESE}])" if number[0] in _CHINESE else r"(?<!\d)(?<!\d\.)"
    after = ""
    if number[-1].isdigit():
        after = r"(?![\d万亿%‰]|\.\d)"
    elif number[-1] in _CHINESE:
        after = rf"(?![{_CHINESE}])"
    elif number[-1] in "日号" and "月" not in number:
        before += rf"(?<![\d{_CHINESE}]月)"
    return re.compile(before + re.escape(number) + after)


def _direction(text: str, start: int, end: int) -> float:
    """Return 1 for at least, -1 for at most, half of it if that may go without saying; else 0."""
    before = re.split(r"[,;。:、\d]|以[上下内]", text[max(0, start - _BOUND_BEFORE) : start])[-1]
    after = _BOUND_AFTER.match(text, end)
    around = before + text[end - 1 : end] + (after[1] if after else "")
    for direction, bound in _DIRECTIONS:
        if bound.search(around):
            return direction
    return _place_in_range(text, start, end)


def _place_in_range(text: str, start: int, end: int) -> int:
    """Return 1 for the number that begins a range, -1 for the one that ends it."""
    if unit(text[start:end]) in {"", "date"}:  # 6月1日至6月30日 does end on 6月30日
        return 0
    if _ENDS_RANGE.search(text[max(0, start - 2) : start]):
        return -1
    return 1 if _BEGINS_RANGE.match(text, end) else 0


def _states_code(source: str, claim: re.Match[str]) -> bool:
    code = _LEADS_TO_CODE.sub("", claim["code"])
    return any(
        found.group("year", "order") == claim.group("year", "order")
        and _LEADS_TO_CODE.sub("", found["code"]) in {code, claim["code"]}
        for found in _NUMBERED.finditer(source)
    )


def _states_word(source: str, word: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", source))


def _names(sentence: str) -> Iterator[str]:
    yield from _OFFICE.findall(sentence)
    yield from _PLACE.findall(sentence)
    yield from _PERSON.findall(sentence)
