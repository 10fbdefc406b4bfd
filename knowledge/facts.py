"""Policy facts where a Chinese official document states them: 文号, 发文机关, 日期, 效力.

The places looked at follow GB/T 9704—2012 (党政机关公文格式): the number stands below the title,
the issuer and the date in the signature; laws carry their history above the first article.
"""

import datetime as dt
import re
import unicodedata
from typing import NamedTuple

from knowledge.repeals import CITING, is_repealed, repealed_names

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_NUMERAL = "[零〇○一二两三四五六七八九十]"
_DATE = (
    r"(?:(?:1[89]|20)\d{2}\s*(?:年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|-\d{1,2}-\d{1,2}(?!\d)|/\d{1,2}/\d{1,2}(?!\d))"
    rf"|{_NUMERAL}{{4}}年{_NUMERAL}{{1,2}}月{_NUMERAL}{{1,3}}日)"
)
_DOTTED = r"(?<![\d.])(\d{4})\s*\.\s*(\d{1,2})\s*\.\s*(\d{1,2})(?![\d.])"
_COMPACT = r"^(\d{4})(\d{2})(\d{2})$"
_KIND = (
    "(?:办法|规定|细则|通知|意见|条例|法|方案|措施|公告|通告|决定|规则|准则|标准|指引|政策|文件|预案|规程|"
    "制度|解释|批复|规范|清单|计划|规划|章程|指南|决议)"
)
_SELF = rf"本[\u4e00-\u9fff]{{0,8}}?{_KIND}(?:[（(][^（）()\n]{{1,20}}[）)])?"
_EVENT = "(?:公布|发布|印发|颁布|下发|签发|发文|通过|批准)"
_SINCE = (
    rf"(?:自|从|于)\s*(?:(?P<since>{_DATE})|{_EVENT}之日)\s*(?:起|后)?\s*"
    r"(?:(?P<days>\d{1,3})[日天][之以]?后)?\s*起?(?:正式|开始)?(?:施行|实施|执行|生效)"
)
_TERM = (
    r"有效期限?(?:为|是|[:：])?\s*(?:"
    rf"(?:自[^，,。；\n]{{0,20}}?起(?:算)?)?\s*(?P<count>\d{{1,2}}|{_NUMERAL}{{1,3}})\s*(?P<unit>年|个月)"
    rf"|(?:自?\s*(?P<from>{_DATE})\s*起?)?\s*[至到]\s*(?P<until>{_DATE}))止?"
)
_EFFECTIVE = re.compile(rf"{_SELF}(?:[，,]|\s)?{_SINCE}")
_VALID_FOR = re.compile(
    rf"(?=[本自从于])(?:{_SELF}(?:[，,]|\s)?)?(?:{_SINCE})?[，,；;。\s]{{0,2}}其?{_TERM}"
)
_UNTIL = re.compile(
    rf"(?:{_SELF}(?:[，,]|\s)?|(?<=[，,；;。\n])){_SINCE}[，,；;。\s]{{0,2}}"
    rf"(?:有效|施行|实施|执行)?[至到]\s*(?P<until>{_DATE})\s*止"
)
# What may stand before 自…起施行 where it is said of a rule: nothing, 并, or the name of one.
_OF_A_RULE = re.compile(
    rf"(?:^|[，,；;。：:、.．\s）)》并]|第\S{{1,5}}条|{_KIND}(?<!文件))(?:现|即|均|应)?$"
)
# Certificates, too, come into force, but nothing else does 施行; of these the sentence must tell.
_NAMES_A_RULE = re.compile(
    rf"^(?:第\S{{1,5}}条|\W|{_NUMERAL}|\d)*$|^现|《|{_KIND}(?<!文件)(?!所|规定|第|的)"
)
_COMES_INTO_FORCE = re.compile(rf"(?m)^(?P<since>{_DATE})\s*(?:起)?(?:施行|实施|生效)\s*$")
_DECREED = re.compile(rf"(?:公布|发布|印发|通过)[^。\n]{{0,40}}?，{_SINCE}")

_NUMBER = (
    r"(?P<agency>[\u4e00-\u9fff]{1,14})\s*[〔\[【（(［﹝]\s*(?P<year>(?:19|20)\d{2})\s*"
    r"[〕\]】）)］﹞]\s*第?\s*(?P<serial>\d{1,5})\s*号"
)
_NUMBER_LINE = re.compile(rf"(?:(?:发文|发布|文件)?[文字]号\s*[:：]\s*)?{_NUMBER}")
_NUMBER_AFTER_TITLE = re.compile(
    rf"[^《》\n]*(?:《[^《》\n]*》)?[^《》\n]*{_KIND}[（(]{_NUMBER}[）)]"
)
_ORDER = re.compile(
    rf"(?m)^(?:{_DATE}\s*)?(?P<order>[\u4e00-\u9fff]{{2,30}}令)\s*[（(]?\s*第\s*(?P<serial>\d{{1,5}})\s*号"
)

_ORG = re.compile(
    r"[\u4e00-\u9fff（）()]{2,40}?"
    r"(?:院|厅|局|部|委|会|政府|办|室|中心|署|行|司|处|站|校|学|队|组|社|所|海关|等[\d一二三四五六七八九十]+部门)"
)
_TITLE_ISSUER = re.compile(
    r"(?:[（(【][^）)】]{1,12}[）)】])?(?P<orgs>[^《》“”。，：]{2,120}?)"
    r"(?:关于|印发|转发|批转|公布|发布|(?:对|给)(?=.*(?:答复|批复|复函|函)$))"
)
_SIGNATURE = re.compile(
    rf"(?m)^(?P<orgs>[^\n，。；：《》\d]{{0,80}}?)[ \t\u3000]*(?P<date>{_DATE})[ \t]*$"
)
_SIGNED_BY_PERSON = re.compile(
    r"(?:代?(?:总理|省长|市长|区长|县长|主席|部长|局长|主任|署长|院长|行长))\s*\S"
)
_PRINTED = re.compile(rf"(?P<date>{_DATE})\s*印发")
_LABELLED_DATE = re.compile(
    rf"(?:成文|印发|发文|公布|发布)(?:日期|时间)\s*[:：]\s*(?P<date>{_DATE})"
)
_HISTORY = re.compile(
    rf"(?m)^[（(]?(?P<date>{_DATE})(?P<what>[^\n]{{0,160}}?(?:通过|公布|发布|修订|修正|批准))?"
)
_SESSION = re.compile(
    r"(?:全国人民代表大会(?:常务委员会)?|国务院|最高人民法院|最高人民检察院)"
    r"(?=(?:审判|检察)?(?:委员会)?第[^\n第]{1,8}次(?:常务)?会议)"
)

_ENDS_WITH_NAME = re.compile(r"》(?:\s*[（(][^（）()\n]{1,60}[）)])?[，,\s]?$")
_LONGER = re.compile("延长|延续|顺延|继续(?:有效|施行|实施|执行)")
_HEAD_CHARS = 4000
_HEAD_LINES = 40
_LINE_CHARS = 150  # of a line that can state a number, at most
_NO_LINES = 300  # characters per line from which spaces, not newlines, are taken to part lines


class _Signature(NamedTuple):
    orgs: tuple[str, ...]
    date: str
    start: int
    end: int


def parse_date(words: str) -> str:
    """Turn a date in Arabic or Chinese numerals into ISO 8601.

    Args:
        words: Such as ``2019年1月27日``, ``二○一九年一月二十七日`` or ``2019-1-27``; what stands
            around the first date in it is ignored.

    Returns:
        The date as ``YYYY-MM-DD``; empty where there is none or it does not exist.
    """
    found = re.search(_DATE, words)
    parts = re.findall(rf"\d+|{_NUMERAL}+", found.group()) if found else []
    try:
        return dt.date(*(_number(part) for part in parts)).isoformat() if parts else ""
    except ValueError:
        return ""


def iso_date(text: str) -> str:
    """Turn a date that somebody typed into ISO 8601: also ``2024.5.1`` and ``20240501``.

    Returns:
        The date as ``YYYY-MM-DD``; empty where there is none, such as in a year alone.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    return parse_date(re.sub(rf"{_DOTTED}|{_COMPACT}", _hyphened, plain))


def _hyphened(date: re.Match[str]) -> str:
    return "-".join(part for part in date.groups() if part)


def normal_number(words: str) -> str:
    """Give a document number its usual form: ``国发(2019) 5 号`` becomes ``国发〔2019〕5号``.

    Returns:
        The number; empty where ``words`` is anything else than one document number.
    """
    stripped = words.strip()
    if found := _NUMBER_LINE.fullmatch(stripped):
        return _number_of(found)
    order = re.fullmatch(
        r"([\u4e00-\u9fff]{1,30}令)\s*[（(]?\s*第\s*(\d{1,5})\s*号[）)]?", stripped
    )
    return f"{order[1]}第{order[2]}号" if order else ""


def policy_facts(text: str, title: str, date: str = "") -> dict[str, str]:
    """Find the facts that a document states about itself.

    Args:
        text: The whole text, in lines.
        title: Its title.
        date: The date (ISO 8601) known from elsewhere, empty if none is: counts for
            "自印发之日起" where the text gives none, and as a law's latest revision.

    Returns:
        Those found of ``document_number``, ``issuer``, ``date``, ``effective``, ``expires`` (the
        last day in force), ``validity``, ``status`` and ``repeals``; dates in ISO 8601.
    """
    head, body = _head(text), _lined(text)
    named = _title_issuers(title)
    signature = _signature(body, named, title)
    stated = _stated_date(head, body, signature, date)
    facts = {
        "document_number": _document_number(head, body, signature),
        "issuer": _issuer(named, signature, head),
        "date": stated,
        **_validity(text, head, title, _first_published(head) or stated or date),
        "status": "repealed" if is_repealed(title, head) else "",
        "repeals": "；".join(repealed_names(text, title)),
    }
    return {name: value for name, value in facts.items() if value}


def _number(numeral: str) -> int:
    """Value of ``12``, ``十二``, ``二十`` or, digit by digit, ``二〇一九``."""
    if numeral.isdecimal():
        return int(numeral)
    if "十" in numeral:
        tens, _, ones = numeral.partition("十")
        return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)
    return int("".join(str(_DIGITS[c]) for c in numeral))


def _number_of(found: re.Match[str]) -> str:
    return f"{found['agency']}〔{found['year']}〕{found['serial']}号"


def _lined(text: str) -> str:
    """The text in lines, also where a page was flattened and spaces part what were lines."""
    edges = text if len(text) < 2 * _HEAD_CHARS else text[:_HEAD_CHARS] + text[-_HEAD_CHARS:]
    if len(edges) < _NO_LINES * (edges.count("\n") + 1):
        return text
    return re.sub(r"[ \u3000]+", "\n", edges)


def _head(text: str) -> str:
    """The lines before the body: title, number, history, whatever the page put above them."""
    lines = []
    for line in _lined(text[:_HEAD_CHARS]).split("\n")[: 2 * _HEAD_LINES]:
        stripped = line.strip()
        if re.match(r"第[一二]条|一、|（一）", stripped) or (
            len(stripped) > 60 and "。" in stripped
        ):
            break
        lines.append(stripped)
    return "\n".join([line for line in lines if line][:_HEAD_LINES])


def _orgs(words: str) -> tuple[str, ...]:
    """The issuers named in ``words``, if it holds nothing else."""
    parts = [part for part in re.split(r"[、\s]+", words.strip()) if part]
    return tuple(parts) if parts and all(_ORG.fullmatch(part) for part in parts) else ()


def _title_issuers(title: str) -> tuple[str, ...]:
    found = _TITLE_ISSUER.match(re.sub(r"(?<=[\u4e00-\u9fff])\n", "", title.strip()))
    return _orgs(found["orgs"]) if found else ()


def _signature(text: str, named: tuple[str, ...], title: str) -> _Signature | None:
    """The first signature by a named issuer; else the first, where the title names none."""
    signatures = list(_signatures(text))
    own = [s for s in signatures if any(_same(org, name) for org in s.orgs for name in named)]
    if own or re.search("转发|批转", title):
        return own[0] if own else None
    signed = [s for s in signatures if s.orgs] or signatures
    return signed[0] if signed else None


def _same(org: str, name: str) -> bool:
    return org == name or org.endswith(name) or name.endswith(org)


def _signatures(text: str) -> list[_Signature]:
    found = []
    for match in _SIGNATURE.finditer(text):
        above = text[max(0, match.start() - 300) : match.start()].rstrip().split("\n")
        orgs = _orgs(match["orgs"]) or (_orgs_above(above) if not match["orgs"].strip() else ())
        bare = not match["orgs"].strip() and (
            above[-1].endswith(("。", "；", "）")) or _SIGNED_BY_PERSON.match(above[-1].strip())
        )
        if orgs or bare:
            found.append(_Signature(orgs, parse_date(match["date"]), match.start(), match.end()))
    return [signature for signature in found if signature.date]


def _orgs_above(lines: list[str]) -> tuple[str, ...]:
    """The issuers in the lines right above a date, which may take several lines."""
    orgs: tuple[str, ...] = ()
    for line in reversed(lines):
        more = _orgs(line)
        if not more:
            break
        orgs = more + orgs
    return orgs


def _document_number(head: str, text: str, signature: _Signature | None) -> str:
    for line in (line for line in head.split("\n") if len(line) <= _LINE_CHARS):
        found = _NUMBER_LINE.fullmatch(line)
        if not found and not CITING.search(line) and not line.startswith("《"):
            found = _NUMBER_AFTER_TITLE.fullmatch(line)
        if found:
            return _number_of(found)
    orders = [m for m in _ORDER.finditer(head) if not CITING.search(m["order"])]
    if orders:
        return f"{_plain(orders[-1]['order'])}第{orders[-1]['serial']}号"
    return _number_near(text, signature)


def _number_near(text: str, signature: _Signature | None) -> str:
    if not signature:
        return ""
    around = text[max(0, signature.start - 120) : signature.end + 60].split("\n")
    return next((n for line in around[1:] if (n := normal_number(line))), "")


def _plain(order: str) -> str:
    return order.removeprefix("中华人民共和国")


def _issuer(named: tuple[str, ...], signature: _Signature | None, head: str) -> str:
    signed = signature.orgs if signature else ()
    if named and not (
        len(signed) > len(named) or (signed and re.search("等.{1,3}部门", named[-1]))
    ):
        return "、".join(named)
    return "、".join(signed) or _issuer_in_history(head)


def _issuer_in_history(head: str) -> str:
    orders = list(_ORDER.finditer(head))
    if orders:
        return _plain(orders[-1]["order"]).removesuffix("令")
    sessions = _SESSION.findall(head)
    return sessions[-1] if sessions else ""


def _stated_date(head: str, text: str, signature: _Signature | None, known: str) -> str:
    if signature:
        return signature.date
    if history := [m for m in _HISTORY.finditer(head) if m["what"]]:
        # A history may leave out the latest revision; a later date known is that of the version.
        return max(parse_date(history[-1]["date"]), known)
    places = [*_PRINTED.finditer(text[-1000:]), *_LABELLED_DATE.finditer(head)]
    return parse_date(places[0]["date"]) if places else ""


def _first_published(head: str) -> str:
    """The oldest date of a law's history, from which "自公布之日起" counts."""
    dates = (parse_date(m["date"]) for m in _HISTORY.finditer(head) if m["what"])
    return min((date for date in dates if date), default="")


def _validity(text: str, head: str, title: str, date: str) -> dict[str, str]:
    start = _last(_COMES_INTO_FORCE, head) or _last(_EFFECTIVE, text) or _last(_DECREED, head)
    term = _own_term(_VALID_FOR, text, title) or _own_term(_UNTIL, text, title)
    effective = _effective(start, date) if start else ""
    if term and not effective:
        stated = term.groupdict()
        effective = parse_date(stated.get("from") or stated.get("since") or "")
    return {
        "effective": effective,
        "expires": _expires(term, effective or date) if term else "",
        "validity": _words(start, term),
    }


def _own_term(pattern: re.Pattern[str], text: str, title: str) -> re.Match[str] | None:
    """The last term stated; not that of another document, which this one makes longer."""
    found = None
    for match in pattern.finditer(text):
        before = text[max(0, match.start() - _LINE_CHARS) : match.start()]
        rest = re.split(r"[。\n]", text[match.end() : match.end() + _LINE_CHARS])[0]
        longer = _ENDS_WITH_NAME.search(before) and _LONGER.search(f"{title}\n{rest}")
        if not longer and (match[0].startswith("本") or _is_of_a_rule(before, match[0])):
            found = match
    return found


def _is_of_a_rule(before: str, since: str) -> bool:
    """Tell whether 自…起施行, with what stands before it, is said of a rule, not of a permit."""
    sentence = re.split(r"[。；;\n]", before)[-1]
    return bool(
        _OF_A_RULE.search(before) and ("生效" not in since or _NAMES_A_RULE.search(sentence))
    )


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007
        pass
    return found


def _effective(start: re.Match[str], date: str) -> str:
    if start["since"]:
        return parse_date(start["since"])
    days = int(start.groupdict().get("days") or 0)
    return (dt.date.fromisoformat(date) + dt.timedelta(days)).isoformat() if date else ""


def _expires(term: re.Match[str], since: str) -> str:
    if term["until"]:
        return parse_date(term["until"])
    if not since:
        return ""
    months = _number(term["count"]) * (12 if term["unit"] == "年" else 1)
    return _months_later(dt.date.fromisoformat(since), months)


def _months_later(day: dt.date, months: int) -> str:
    """The last day of a term of ``months``, which is over the day before the same day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    next_month = dt.date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = (next_month - dt.timedelta(1)).day
    if day.day > last:
        return dt.date(year, month + 1, last).isoformat()
    return (dt.date(year, month + 1, day.day) - dt.timedelta(1)).isoformat()


def _words(start: re.Match[str] | None, term: re.Match[str] | None) -> str:
    """The words on validity, as written; two places are joined by ``；``."""
    places = [match for match in (start, term) if match]
    if len(places) == 2 and places[0].string is places[1].string:
        first, second = sorted(match.span() for match in places)
        if second[0] <= first[1]:
            return places[0].string[first[0] : max(first[1], second[1])].strip()
    return "；".join(match.group().strip() for match in places)
