"""What a chat model makes of a follow-up, taken only if nothing in it is the model's own."""

import re
from collections.abc import Sequence

from assistant.injection import gives_orders
from assistant.topics import OPENING, ORDINAL, PRONOUN
from assistant.types import Turn
from knowledge.lexical import normalise
from knowledge.queries import content

WAIT = 5.0  # seconds; then the question that the rules made is asked
LONGEST = 60  # characters of a question
EARLIER = 3  # questions of the conversation that the model is shown, and the last answer
ANSWER = 300  # characters of that
KEPT_FROM = 0.6  # of the characters that the follow-up itself asks with

_LEAD_IN = re.compile(r"^(?:改写后?的?|完整的?)?(?:问题|问句)\s*(?:是|为)?\s*[:：]\s*")
_QUOTED = re.compile(r"[\"'“‘「『`]([^“”‘’「」『』]+)[\"'”’」』`]")
# The closed classes: they ask, join and politely lead in; they name nothing.
_FUNCTION = re.compile(
    r"什么时候|什么|怎么样?|怎样|如何|为何|为什么|哪些|哪里|哪儿|哪个|哪|多少|多久|几|谁|是否|是不是|有没有"
    r"|能不能|能否|可不可以|可以|需要|应该|应当|请问|关于|对于|以及|情况下?|时候|之后|以后|之前|一下|进行|办理"
    r"|[要能会得请对在到去从由向给把被用和与及或并的地了过是有时后前中里上下那这该其它吗呢吧啊办怎]|\W"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?|[零〇一二三四五六七八九十百千万亿两]+|[a-z]+")


def shown(history: Sequence[Turn]) -> list[Turn]:
    """Return the turns that a model needs: the last questions and the last answer's beginning."""
    asked = [turn for turn in history if turn.role == "user"][-EARLIER:]
    said = [turn for turn in history if turn.role == "assistant"][-1:]
    turns = [*asked, *(Turn(turn.role, turn.content[:ANSWER]) for turn in said)]
    return [turn for turn in turns if not gives_orders(turn.content)]


def accepted(said: str, question: str, history: Sequence[Turn]) -> str:
    """Return the question that a model wrote, or nothing where it can't be trusted.

    It must be made of what the question and the conversation hold, runs of two characters and
    more, with function words between them; every number and every Latin word must stand there as
    a whole; and it must still ask what the question asks.

    Args:
        said: What the model said.
        question: The follow-up.
        history: As much of the conversation as the model was shown.
    """
    rewritten = _LEAD_IN.sub("", said.strip())
    if quoted := _QUOTED.fullmatch(rewritten):
        rewritten = quoted[1]
    if not 0 < len(rewritten) <= LONGEST or "\n" in rewritten or gives_orders(rewritten):
        return ""
    text, own = normalise(rewritten), normalise(question)
    source = "\n".join([own, *(normalise(turn.content) for turn in history)])
    new_numbers = set(_NUMBER.findall(text)) - set(_NUMBER.findall(source))
    if _names_new(new_numbers) or not _is_made_of(text, source, own) or not _keeps(own, text):
        return ""
    return rewritten


def _names_new(numbers: set[str]) -> bool:
    """Tell whether any of these is more than a word of function like 一下."""
    return bool(numbers - {"一"})


def _is_made_of(text: str, source: str, own: str) -> bool:
    """Tell whether a text is made of runs of the source, the question's words, function words."""
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and text[at : end + 1] in source:
            end += 1
        if end - at < 2 and text[at] not in own:
            function = _FUNCTION.match(text, at)
            if not function:
                return False
            end = function.end()
        at = end
    return True


def _keeps(own: str, text: str) -> bool:
    """Tell whether a text asks what the follow-up itself asks."""
    words = content(PRONOUN.sub("", ORDINAL.sub("", OPENING.sub("", own))))
    asked = set(re.sub(r"\W", "", words))
    return len(asked & set(text)) >= KEPT_FROM * len(asked)
