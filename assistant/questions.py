"""A question as typed → one that stands alone."""

import re
from collections.abc import Sequence

from assistant.asking import content
from assistant.errors import QuestionError
from assistant.types import Turn

LONGEST_QUESTION = 2000  # characters
# Pronouns and particles that point back at what was said before.
_POINTS_BACK = re.compile(
    r"^(那|那么|这|还有|另外|再|然后)|[它他她]们?|[该此这那其](?:个|些|项|家|种|类|条|政策|平台|公司|学校|单位)"
    r"|(?:上面|前面|刚才|第[一二三四五六七八九十\d]+[个条项种])|呢[？?]?$"
)
FEW = 4  # characters of content that can't be a whole question


def check(question: str) -> str:
    """Return the question without the white space around it.

    Raises:
        QuestionError: There is nothing to ask, or far too much.
    """
    question = question.strip()
    if not question:
        raise QuestionError("问题是空的，请输入您想问的内容。")
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(
            f"问题太长了（{len(question)} 字），最多 {LONGEST_QUESTION} 字。"
            "请分成几个短一些的问题。"
        )
    return question


def stand_alone(question: str, history: Sequence[Turn]) -> str:
    """Return the question with what it leaves unsaid, taken from the conversation so far.

    A question that names its own topic comes back as it is.
    """
    earlier = [turn.content for turn in history if turn.role == "user"]
    if not earlier or not _leans_on_history(question):
        return question
    topic = stand_alone(earlier[-1], [Turn("user", text) for text in earlier[:-1]])
    return f"{topic} {question}"


def _leans_on_history(question: str) -> bool:
    words = re.sub(r"\W", "", content(question))
    return len(words) <= FEW or bool(_POINTS_BACK.search(question))
