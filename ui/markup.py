"""Answers and sources as HTML for the chat page: every word of a document is escaped.

Documents are plain text to us. Only what a reader would stumble over is drawn instead of spelt
out: Markdown's signs before headings, items and quotations, and around the cells of a table.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from urllib.parse import urlsplit

from assistant.types import Answer, Citation
from knowledge.types import Hit

# Stand for <mark> and </mark> until the text around them is escaped; documents can't hold them,
# since the readers drop private-use characters or they are dropped here.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HEADING = re.compile(rf"^({_OPEN}?)#{{1,6}}\s+")
_QUOTED = re.compile(rf"^({_OPEN}?)>\s+")
_ITEM = re.compile(rf"^\s*({_OPEN}?)[-*]\s+")
_ROW = re.compile(rf"^{_OPEN}?\s*\|.*\|\s*{_CLOSE}?$")
_RULE = re.compile(rf"[\s|:\-{_OPEN}{_CLOSE}]*")
_CITED = re.compile(r"\[(\d+)\]")


def question_html(question: str) -> str:
    """Return what the citizen said."""
    return f'<div class="xq-said">{_lines(question)}</div>'


def streamed_html(text: str) -> str:
    """Return an answer that is still being written."""
    return f'<div class="xq-answer">{_CITED.sub(_plain_chip, _lines(text))}</div>'


def problem_html(message: str) -> str:
    """Return a message that says politely what went wrong."""
    return f'<div class="xq-problem"><strong>没能回答</strong>{_lines(message)}</div>'


def stopped_html() -> str:
    """Return the note that stands under an answer that was stopped."""
    return '<div class="xq-note">已停止。</div>'


def answer_html(answer: Answer, hits: Sequence[Hit], anchor: str) -> str:
    """Return a whole answer with its sources.

    Args:
        answer: What is shown; a refusal looks different.
        hits: Where the passages around the quotes are found.
        anchor: Unique on the page; the marks ``[n]`` lead to ``anchor-n``.
    """
    note = ""
    if answer.corrected_question != answer.question:
        note = f'<div class="xq-note">已按“{_plain(answer.corrected_question)}”理解。</div>'
    if answer.refused:
        reason, _, rest = answer.answer.partition("\n")
        said = f"<strong>{_plain(reason)}</strong>{_lines(rest)}"
        return f"{_div('xq-refusal', said)}{note}"
    numbers = {str(citation.n) for citation in answer.citations}

    def chip(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            return match[0]
        n = match[1]
        return f'<a class="xq-cite" href="#{anchor}-{n}" title="看出处 {n}">{n}</a>'

    said = _CITED.sub(chip, _lines(answer.answer))
    return f"{_div('xq-answer', said)}{note}{_sources(answer.citations, hits, anchor)}"


def _div(name: str, inner: str) -> str:
    return f'<div class="{name}">{inner}</div>'


def _plain_chip(match: re.Match[str]) -> str:
    return f'<span class="xq-cite">{match[1]}</span>'


# -- sources


def _sources(citations: Sequence[Citation], hits: Sequence[Hit], anchor: str) -> str:
    if not citations:
        return ""
    cards = (
        _card(citation, _hit_of(citation, hits), f"{anchor}-{citation.n}", opened=at == 0)
        for at, citation in enumerate(citations)
    )
    return _div("xq-sources", "<h2>资料来源</h2>" + "".join(cards))


def _hit_of(citation: Citation, hits: Sequence[Hit]) -> Hit | None:
    """Return the passage that holds the quote."""
    for hit in hits:
        inside = hit.passage.start <= citation.start and citation.end <= hit.passage.end
        if hit.document.id == citation.document_id and inside:
            return hit
    return None


def _card(citation: Citation, hit: Hit | None, anchor: str, *, opened: bool) -> str:
    metadata = hit.document.metadata if hit else {}
    about = [
        metadata.get("issuer", ""),
        metadata.get("document_number", ""),
        citation.date,
        metadata.get("validity", ""),
        "已废止" if metadata.get("status") == "repealed" else "",
    ]
    title = f'<span class="xq-title">[{citation.n}] {_plain(citation.title)}</span>'
    facts = " · ".join(_plain(fact) for fact in about if fact)
    facts = f'<span class="xq-about">{facts}</span>' if facts else ""
    section = f'<p class="xq-where">{_plain(citation.section)}</p>' if citation.section else ""
    return (
        f'<details class="xq-source" id="{escape(anchor)}"{" open" if opened else ""}>'
        f"<summary>{title}{facts}</summary>"
        f'<div class="xq-passage">{section}{_passage(citation, hit)}{_link(citation.source)}</div>'
        "</details>"
    )


def _passage(citation: Citation, hit: Hit | None) -> str:
    """Return the passage with the quoted words highlighted; the quote alone if it is not there."""
    if hit is None:
        return _lines(f"{_OPEN}{_without_marks(citation.quote)}{_CLOSE}", marked=True)
    start, end = citation.start - hit.passage.start, citation.end - hit.passage.start
    text = _without_marks(hit.passage.text)
    return _lines(f"{text[:start]}{_OPEN}{text[start:end]}{_CLOSE}{text[end:]}", marked=True)


def _link(source: str) -> str:
    if urlsplit(source).scheme not in {"http", "https"}:
        return ""
    address = escape(source)
    return f'<p><a href="{address}" target="_blank" rel="noopener noreferrer">查看原文</a></p>'


# -- text


def _plain(text: str) -> str:
    """Return a short text as HTML on one line."""
    return escape(" ".join(text.split()))


def _without_marks(text: str) -> str:
    """Return the text with our two private characters replaced, so that offsets stay."""
    return text.replace(_OPEN, "□").replace(_CLOSE, "□")


def _lines(text: str, *, marked: bool = False) -> str:
    """Return a text as HTML on one line, so that no Markdown reader takes it for its own."""
    if not marked:
        text = _without_marks(text)
    blocks = groupby(_each_marked(text.splitlines()), key=lambda line: bool(_ROW.match(line)))
    drawn = "".join(_table(lines) if rows else _paragraphs(lines) for rows, lines in blocks)
    return drawn.replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")


def _each_marked(pieces: Sequence[str]) -> Iterator[str]:
    """Close the mark at the end of each piece and open it in the next: tags must nest."""
    is_open = False
    for piece in pieces:
        marked = (_OPEN if is_open else "") + piece
        is_open = marked.rfind(_OPEN) > marked.rfind(_CLOSE)
        yield marked + (_CLOSE if is_open else "")


def _paragraphs(lines: Iterator[str]) -> str:
    return "".join(f"<p>{_line(line)}</p>" for line in lines if line.strip(f" \t　{_OPEN}{_CLOSE}"))


def _line(line: str) -> str:
    heading = _HEADING.sub(r"\1", line)
    if heading != line:
        return f"<strong>{escape(heading)}</strong>"
    return escape(_ITEM.sub(r"\1• ", _QUOTED.sub(r"\1", line)).strip())


def _table(lines: Iterator[str]) -> str:
    rows = (_row(line) for line in lines if not _RULE.fullmatch(line))
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _row(line: str) -> str:
    cells = list(_each_marked(line.split("|")))[1:-1]
    return f"<tr>{''.join(f'<td>{escape(cell.strip())}</td>' for cell in cells)}</tr>"
