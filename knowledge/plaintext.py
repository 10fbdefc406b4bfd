"""From bytes to clean text: encodings, characters that nobody sees, titles (pure functions)."""

import codecs
import re
import unicodedata

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Controls; soft hyphen; zero-width and bidi marks (Unicode TR 36, 39); variation selectors; tags,
# which can carry unseen instructions; lone surrogates and noncharacters, which can't be stored.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x7f\ue000-\uf8ff]")
_DOCUMENT_WORD = re.compile(
    "(?:通知|意见|办法|规定|条例|决定|公告|通告|方案|细则|批复|复函|函|报告|通报|措施|规则|指引|指南|答复|法)"
    "(?:[（(][^（）()]{1,12}[）)])?$"
)
_NUMBER_LINE = re.compile(
    r"[\u4e00-\u9fff]{1,14}\s*[〔\[［（(【]\s*(?:19|20)\d{2}\s*[〕\]］）)】]\s*第?\s*\d{1,5}\s*号"
    r"(?:\s.*)?"  # in what goes upwards, who signed it
)
_ORGAN = re.compile("(?:政府|办公[室厅]|委员会|[局厅部委会院])$")
_FILE_DATE = re.compile(r"\s*[（(]\d{4}-\d{2}-\d{2}[）)]\s*$")
_TITLE_CHARS = 40  # of a title made from a text's first words
_HEAD_LINES = 10  # with secrecy and urgency, the issuers, the number and the title
_LINE_CHARS = 80  # up to which a text's first line can be its title


def decode(data: bytes) -> str:
    """Decode text by its byte order mark, else as UTF-8, else as GB18030 (which holds GBK, GB2312).

    Raises:
        ValueError: The bytes are no text in any of these; the message says so in Chinese.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strictly(data, encoding)
    if b"\x00" in data:
        raise ValueError("内容是二进制数据，不是文本")
    try:
        return _strictly(data, "utf-8")
    except ValueError:
        text = _strictly(data, "gb18030")
    if len(_BINARY.findall(text)) * 100 > len(text):
        raise ValueError("内容是二进制数据，不是文本")
    return text


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError("编码不是 UTF-8，也不是 GB18030（GBK）") from error


def clean_characters(text: str) -> str:
    r"""Leave what can be seen: no control or hidden characters, ``\n`` for every line end, NFC.

    Full-width punctuation stays as written: NFC, not NFKC.
    """
    text = _SPACES.sub(" ", _UNSEEN.sub("", _NEWLINES.sub("\n", text)))
    return unicodedata.normalize("NFC", text)


def tidy_lines(text: str, *, indents: bool = False) -> str:
    """Strip lines and shorten runs of blank lines to one.

    Args:
        text: Any text.
        indents: Keep indents of ASCII spaces and tabs, which mean something in Markdown.
    """
    lines = (line.rstrip() for line in text.split("\n"))
    stripped = (_without_indent(line) if indents else line.lstrip() for line in lines)
    return re.sub("\n{3,}", "\n\n", "\n".join(stripped)).strip("\n")


def _without_indent(line: str) -> str:
    body = line.lstrip()
    return body if "\u3000" in line[: len(line) - len(body)] else line


def clean(text: str) -> str:
    """Both: clean characters in tidy lines."""
    return tidy_lines(clean_characters(text))


def file_title(stem: str) -> str:
    """A title from a file's name, without the date in brackets that may end it."""
    return clean(_FILE_DATE.sub("", stem)).strip() or "无标题"


def file_date(stem: str) -> str:
    """The date (ISO 8601) in brackets at the end of a file's name, or empty."""
    found = _FILE_DATE.search(stem)
    return found.group().strip(" （）()") if found else ""


def first_title(text: str, fallback: str) -> str:
    """The title of a text: its first headings of the first level, or a first line that can be one.

    Args:
        text: A clean text.
        fallback: What to take where the text begins without a title.
    """
    lines = [line.strip() for line in text[:4000].split("\n") if line.strip()]
    headings = [number for number, line in enumerate(lines) if line.startswith("# ")]
    if headings:
        return _joined_headings(lines[headings[0] :]) or fallback
    return _below_head(lines[:_HEAD_LINES]) or _first_line(lines[:8]) or fallback


def _below_head(lines: list[str]) -> str:
    """The title below an official document's red head (…文件) and number; empty if there is none.

    In copies without a head the number stands below the title.
    """
    number = next((n for n, line in enumerate(lines) if _NUMBER_LINE.fullmatch(line)), None)
    if number is None:
        return ""
    head = [line.replace(" ", "") for line in lines[:number]]
    is_head = any(line.endswith("文件") for line in head) or all(map(_ORGAN.search, head))
    return _first_line(lines[number + 1 :]) if is_head else ""


def _joined_headings(lines: list[str]) -> str:
    """Headings right below one another are one title: 中华人民共和国民法典 / 婚姻家庭编."""
    title = lines[0][2:].strip()
    for line in lines[1:3]:
        if not line.startswith("# ") or re.match(
            r"# *(?:[（(]?[一二三四五六七八九十\d]+[、．.）)]|第)", line
        ):
            break
        title += " " + line[2:].strip()
    return title


def _first_line(lines: list[str]) -> str:
    lines = [line for line in lines if _tells(line)]
    if not lines or not _can_be_title(lines[0]):
        return ""
    if lines[0].endswith("令") and (named := re.search("《([^《》]+)》", "".join(lines[1:4]))):
        return named[1]  # an order names what it puts into force
    title = ""
    for line in lines[:4]:  # 公文 titles take up to four lines, broken where the sense allows
        title += _unspaced(line)
        if _is_whole(title):
            return title
        if not _can_be_title(line):
            break
    return lines[0].lstrip("# ")


def _tells(line: str) -> bool:
    """Whether a line says something: no rule, no row, no path through a site, no page's number."""
    words = re.search(r"[\u4e00-\u9fffA-Za-z]{2}|[\u4e00-\u9fff] [\u4e00-\u9fff]", line)
    return bool(words) and not re.search(r" [>·] |\w{10,}/|^\d[\d\s]*$|^\|", line)


def _unspaced(line: str) -> str:
    """A line without the spaces that spread a title's characters over its width."""
    words = line.lstrip("# ")
    return words.replace(" ", "") if re.fullmatch(r"(?:\S ){3,}\S", words) else words


def _is_whole(title: str) -> bool:
    return bool(re.search("关于|对", title) and _DOCUMENT_WORD.search(title)) and title.count(
        "《"
    ) == title.count("》")


def _can_be_title(line: str) -> bool:
    ends = re.search(
        "[。；：，、:;]$|。|^[（(]?[一二三四五六七八九十]{1,3}[）)、]|^第[一二三]条", line
    )
    return len(line) <= _LINE_CHARS and not ends


def short_title(text: str) -> str:
    """A title of at most 40 characters from a text's first line or sentence."""
    line = text.lstrip().split("\n", 1)[0][:400].lstrip("# ")
    sentence = re.split("[。！？]", line)[0] or line
    first = re.match(r"\S{8,40}(?=[ \u3000])", sentence)
    title = first.group() if first else sentence.strip()
    return title if len(title) <= _TITLE_CHARS else title[: _TITLE_CHARS - 1] + "…"
