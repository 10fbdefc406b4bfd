"""What is said where there is no answer: plainly, with the next step."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set

from assistant.asking import Asked
from assistant.composing import Composed, citation
from assistant.evidence import Evidence
from assistant.extractive import Excerpt, excerpts, in_whole, quoted
from assistant.sentences import FURNITURE
from assistant.types import Citation, Delta, Status
from knowledge.types import Hit

NEXT_STEP = "您可以换个说法再问一次，或拨打12345政务服务便民热线咨询。"
READINGS = 3
# Cosine from which on a passage is about the same matter; below, naming it would mislead. Where
# the words of the question tell of another matter, the meaning must be closer.
NEAR_FROM = 0.55
NEAR_ALONE_FROM = 0.6
# Refusals that say what comes nearest.
_OFFERING: Set[Status] = {"not_found", "not_covered", "personal"}
# The last line; where a status has none, ``NEXT_STEP``.
_NEXT_STEPS: Mapping[Status, str] = {
    "not_allowed": "如遇危险请拨打110；心里难受想找人说说，可拨打心理援助热线12356。",
    "out_of_scope": "您可以问我：办一件事要什么材料、去哪里办、有什么补贴、政策是怎么规定的。",
    "personal": "请带上身份证到办事窗口查询，或登录政务服务平台用本人账号查看；"
    "不清楚去哪里查，可拨打12345政务服务便民热线。",
    "unclear": "请说得具体一点，比如想办什么事、卡在哪一步；也可以拨打12345政务服务便民热线。",
}
_OFFICE = re.compile(
    r"由((?:[^，。；：、\s由]{0,14})(?:局|委|部门|中心|办公室|办事处|委员会|法院|银行))"
    r"(?:负责|受理|办理|承办|牵头)"
)
_PHONE = re.compile(r"(?:电话|热线)[^\d，。；]{0,12}?(\d{3,4}[-—－]\d{7,8}|\d{5,12})(?!\d)")


def refusal(
    evidence: Evidence,
    hits: Sequence[Hit],
    asked: Asked,
    text_of: Callable[[str], str],
) -> Generator[Delta, None, Composed]:
    """Yield the refusal: what is missing, the nearest thing that is known, where to turn.

    Of a matter that no document treats, nothing is near: how a lost identity card is replaced is
    no help with a passport.

    Args:
        evidence: Why there is no answer.
        hits: What was found.
        asked: The question.
        text_of: Gives a document's text by its id.
    """
    lines, citations = [evidence.reason], tuple[Citation, ...]()
    enough = NEAR_ALONE_FROM if evidence.status == "not_found" else NEAR_FROM
    near = [hit for hit in hits if hit.dense >= enough]
    if evidence.status == "unclear":
        lines += _readings(near)
    elif evidence.status in _OFFERING and near and not _is_unheard_of(evidence):
        if evidence.status == "not_found":  # words have misled: the closest in meaning
            closest = max(near, key=lambda hit: hit.dense).document
            near = [hit for hit in near if hit.document == closest]
        excerpt = _quote(evidence.status, asked, near)
        nearest, citations = _nearest(near[0], asked, excerpt, text_of)
        lines += nearest
    lines.append(_NEXT_STEPS.get(evidence.status, NEXT_STEP))
    text = "\n".join(lines)
    yield Delta(text)
    return Composed(text, citations, "extractive")


def _readings(hits: Sequence[Hit]) -> Iterator[str]:
    """Yield what may be meant: different documents, or what the one document treats."""
    topics = dict.fromkeys(map(_title, hits))
    if len(topics) == 1:
        topics = dict.fromkeys("：".join((_title(hit), *hit.passage.section[-1:])) for hit in hits)
    if topics:
        yield "您是不是想问："
        yield from (f"{n}. {topic}" for n, topic in enumerate([*topics][:READINGS], 1))


def _title(hit: Hit) -> str:
    return f"《{hit.document.title.strip('《》')}》"


def _quote(status: Status, asked: Asked, near: Sequence[Hit]) -> Excerpt | None:
    if status == "personal":
        return None
    excerpt = excerpts(asked, near)[0]
    return None if FURNITURE.match(excerpt.text) else excerpt


def _is_unheard_of(evidence: Evidence) -> bool:
    """Tell whether no document names the matter that the question does."""
    return evidence.status == "not_found" and bool(evidence.missing)


def _nearest(
    first: Hit, asked: Asked, excerpt: Excerpt | None, text_of: Callable[[str], str]
) -> tuple[list[str], tuple[Citation, ...]]:
    """Say which document comes nearest, what it says, and whom it names to turn to."""
    hit = excerpt.hit if excerpt else first
    passage, lines, citations = hit.passage, [f"最接近的资料是{_title(hit)}。"], list[Citation]()
    if excerpt:
        text, citations = quoted(in_whole(asked, excerpt, text_of(hit.document.id))[0])
        lines.append(f"其中写道（不一定是您要问的）：\n{text}")
    found = _OFFICE.search(passage.text) or _PHONE.search(passage.text)
    if found and not any(found[0] in one.quote for one in citations):
        kind = "这类事项的负责单位" if found.re is _OFFICE else "资料里的咨询电话"
        n = len(citations) + 1
        lines.append(f"{kind}是{found[1]}[{n}]。")
        citations.append(citation(n, hit, found[0], passage.start + found.start()))
    return lines, tuple(citations)
