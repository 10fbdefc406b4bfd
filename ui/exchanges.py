"""One question with its answer, as HTML: what the chat, the kiosk and a shared link show."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Self
from urllib.parse import urlencode

from assistant.types import Answer, Citation
from ui.markup import both, lines, plain

_CITED = re.compile(r"\[(\d+)\]")
# What one can do with an answer: the name that chat.js knows, in Chinese and in English.
_ACTIONS = (
    ("copy", "复制", "Copy"),
    ("share", "分享", "Share"),
    ("speak", "朗读", "Read aloud"),
    ("retry", "重新回答", "Ask again"),
    ("edit", "修改问题", "Edit question"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote stands, with a short hash of it by which a changed document is noticed."""

    document: str
    start: int
    end: int
    seal: str

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """Return where a citation points."""
        sealed = seal(citation.quote)
        return cls(citation.document_id, citation.start, citation.end, sealed)

    def address(self, page: str) -> str:
        """Return the address of a page about it, relative to the chat."""
        return f"page/{page}?{urlencode(asdict(self))}"


def seal(quote: str) -> str:
    """Return a short hash of a quote."""
    return hashlib.sha256(quote.encode()).hexdigest()[:8]


def exchange_html(question: str, reply: str, exchange: str = "", replaces: str = "") -> str:
    """Return a question above what was replied."""
    return (
        f'<article class="xq-exchange" data-id="{escape(exchange)}" '
        f'data-replaces="{escape(replaces)}" data-question="{escape(question)}">'
        f'<div class="xq-said">{lines(question)}</div><div class="xq-reply">{reply}</div></article>'
    )


def streamed_html(text: str) -> str:
    """Return an answer that is still being written."""
    return _div("xq-answer", _CITED.sub(r'<span class="xq-cite">\1</span>', lines(text)))


def waiting_html() -> str:
    """Return what stands until the first word."""
    return _div("xq-waiting", both("正在查找资料……", "Looking it up…"))


def problem_html(message: str) -> str:
    """Return a message that says politely what went wrong."""
    return (
        f'<div class="xq-problem" role="alert"><strong>{both("没能回答", "No answer")}</strong>'
        f"{lines(message)}</div>{_retry()}"
    )


def stopped_html() -> str:
    """Return the note that stands under an answer that was stopped."""
    return f'<p class="xq-note">{both("已停止。", "Stopped.")}</p>{_retry()}'


def understood_html(question: str, corrected: str) -> str:
    """Return what was understood instead of what was typed, with the way back."""
    if corrected == question:
        return ""
    back = both("按我原来的话问", "Use my own words")
    return (
        f'<p class="xq-note xq-understood">{both("已按", "Understood as ")}“{plain(corrected)}”'
        f'{both("理解。", ".")}<button type="button" data-do="as-typed">{back}</button></p>'
    )


def answer_html(answer: Answer) -> str:
    """Return a whole answer with its sources; a refusal looks different."""
    note = understood_html(answer.question, answer.corrected_question)
    if answer.refused:
        reason, _, rest = answer.answer.partition("\n")
        html = f"<strong>{plain(reason)}</strong>{lines(rest)}"
        said = _div("xq-refusal", _with_chips(html, answer.citations) + _next_steps())
    else:
        said = _div("xq-answer", _with_chips(lines(answer.answer), answer.citations))
    return f"{note}{said}{_sources(answer.citations)}"


def actions_html(verdict: str = "", *, kept: bool = True) -> str:
    """Return what can be done with an answer; one that is not kept is neither shared nor judged."""
    buttons = "".join(_button(*action) for action in _ACTIONS if kept or action[0] != "share")
    return _div("xq-actions", buttons + (_thumbs(verdict) if kept else ""))


def suggestions_html(questions: Sequence[str], title: str) -> str:
    """Return questions that can be asked with a tap."""
    if not questions:
        return ""
    items = "".join(
        f'<li><button type="button" data-do="ask">{plain(question)}</button></li>'
        for question in questions
    )
    return f'<div class="xq-suggested"><h2>{title}</h2><ul>{items}</ul></div>'


def _with_chips(html: str, citations: Sequence[Citation]) -> str:
    """Return what was said with each ``[n]`` that cites something leading there."""
    cited = {str(citation.n): citation for citation in citations}

    def chip(match: re.Match[str]) -> str:
        return _chip(cited[match[1]]) if match[1] in cited else match[0]

    return _CITED.sub(chip, html)


def _chip(citation: Citation) -> str:
    address = escape(Place.of(citation).address("source"))
    title = f"查看出处 {citation.n}：{plain(citation.title)}"
    return (
        f'<a class="xq-cite" data-do="source" href="{address}" '
        f'title="{title}" aria-label="{title}">{citation.n}</a>'
    )


def _sources(citations: Sequence[Citation]) -> str:
    if not citations:
        return ""
    items = "".join(
        f'<li><a data-do="source" href="{escape(Place.of(citation).address("source"))}">'
        f'<span class="xq-number">{citation.n}</span>'
        f"<span>{plain(citation.title)}{_section(citation)}</span>"
        f'<span class="xq-date">{plain(citation.date)}</span></a></li>'
        for citation in citations
    )
    return f'<div class="xq-sources"><h2>{both("资料来源", "Sources")}</h2><ol>{items}</ol></div>'


def _section(citation: Citation) -> str:
    """Return the heading below which the words stand: it tells two places of a document apart."""
    heading = citation.section.rpartition(" / ")[2]
    return f' <span class="xq-section">{plain(heading)}</span>' if heading else ""


def _next_steps() -> str:
    rephrase = _button("edit", "换个说法再问", "Ask in other words")
    call = f'<a href="tel:12345">{both("拨打 12345", "Call 12345")}</a>'
    return _div("xq-next", rephrase + call)


def _retry() -> str:
    return _div("xq-actions", "".join(_button(*action) for action in _ACTIONS[-2:]))


def _button(name: str, chinese: str, english: str) -> str:
    return f'<button type="button" data-do="{name}">{both(chinese, english)}</button>'


def _thumbs(verdict: str) -> str:
    """Return both verdicts, which stay side by side on a narrow screen."""
    thumbs = _thumb("up", verdict) + _thumb("down", verdict)
    return f'<span class="xq-verdict" role="group" aria-label="评价这个回答">{thumbs}</span>'


def _thumb(verdict: str, given: str) -> str:
    words = both("有用", "Helpful") if verdict == "up" else both("没用", "Not helpful")
    pressed = "true" if verdict == given else "false"
    return f'<button type="button" data-do="{verdict}" aria-pressed="{pressed}">{words}</button>'


def _div(name: str, inner: str) -> str:
    return f'<div class="{name}">{inner}</div>'
