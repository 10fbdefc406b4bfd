"""A source opened beside the answer, and the whole document in a reader."""

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

from knowledge.base import KnowledgeBase
from knowledge.types import Document, Passage
from ui.exchanges import Place, seal
from ui.markup import both, lines, marked, plain

GONE = "这份资料已经不在资料库里了。"
_CHANGED = "这份资料在回答之后更新过，下面是现在的内容。"
_FACTS = (
    ("issuer", "发文机关", "Issued by"),
    ("document_number", "文号", "Number"),
    ("date", "日期", "Date"),
    ("effective", "施行日期", "In force from"),
    ("expires", "失效日期", "Expires"),
    ("validity", "有效期", "Validity"),
)


def source_html(base: KnowledgeBase, place: Place) -> str:
    """Return a document's facts and the passage with the quoted words highlighted."""
    document = _document(base, place)
    whole = _whole(place)
    if not _stands(document, place):
        return f'{_about(document)}<p class="xq-note">{_CHANGED}</p>{whole}'
    passage = _around(base.passages(document.id), document, place)
    section = f'<p class="xq-where">{plain(" / ".join(passage.section))}</p>'
    text = marked(passage.text, place.start - passage.start, place.end - passage.start)
    return (
        f"{_about(document)}{section if passage.section else ''}"
        f'<div class="xq-passage">{text}</div>{whole}'
    )


def reader_html(base: KnowledgeBase, place: Place) -> str:
    """Return a whole document, the quoted words highlighted if they still stand there."""
    document = _document(base, place)
    same = _stands(document, place)
    begins = _after_title(document)
    start, end = (max(0, at - begins) for at in (place.start, place.end))
    rest = document.text[begins:]
    text = marked(rest, start, end) if same else lines(rest)
    return f'{_about(document)}<div class="xq-passage xq-whole">{text}</div>'


def _after_title(document: Document) -> int:
    """Return where the text goes on after a first line that only repeats the title."""
    first, newline, _ = document.text.lstrip().partition("\n")
    if not newline or first.strip("# \r") != document.title.strip():
        return 0
    return document.text.index(first) + len(first)


def _stands(document: Document, place: Place) -> bool:
    return seal(document.text[place.start : place.end]) == place.seal


def _document(base: KnowledgeBase, place: Place) -> Document:
    document = base.document(place.document)
    if document is None:
        raise HTTPException(404, GONE)
    return document


def _around(passages: Sequence[Passage], document: Document, place: Place) -> Passage:
    """Return the passage that holds the quote; the quote itself if it stands across two."""
    for passage in passages:
        if passage.start <= place.start and place.end <= passage.end:
            return passage
    return Passage(document.text[place.start : place.end], place.start, place.end)


def _about(document: Document) -> str:
    repealed = document.metadata.get("status") == "repealed"
    warning = f'<p class="xq-repealed">{both("已废止", "Repealed")}</p>' if repealed else ""
    facts = "".join(
        f"<div><dt>{both(chinese, english)}</dt><dd>{plain(document.metadata[name])}</dd></div>"
        for name, chinese, english in _FACTS
        if document.metadata.get(name)
    )
    facts = f"<dl>{facts}</dl>" if facts else ""
    return f"<h2>{plain(document.title)}</h2>{warning}{facts}{_original(document)}"


def _original(document: Document) -> str:
    address = document.metadata.get("url") or document.source
    try:
        scheme = urlsplit(address).scheme
    except ValueError:  # mistyped: the source itself is shown all the same
        return ""
    if scheme not in {"http", "https"}:
        return ""
    words = both("查看原文网页", "Open the original")
    return (
        f'<p><a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{words}</a></p>'
    )


def _whole(place: Place) -> str:
    address = escape(place.address("reader"))
    words = both("阅读全文", "Read the whole document")
    return f'<p><a class="xq-button" data-do="reader" href="{address}">{words}</a></p>'
