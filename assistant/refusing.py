"""What is said where there is no answer: plainly, with the next step."""

from collections.abc import Generator, Sequence

from assistant.composing import Composed
from assistant.evidence import Evidence
from assistant.types import Delta
from knowledge.types import Hit

NEXT_STEP = "您可以换个说法再问一次，或拨打12345政务服务便民热线咨询。"


def refusal(evidence: Evidence, hits: Sequence[Hit]) -> Generator[Delta, None, Composed]:
    """Yield the refusal: what is missing, the nearest thing that is known, where to turn."""
    lines = [evidence.reason]
    if evidence.status == "not_covered" and hits:
        lines.append(f"最接近的资料是《{hits[0].document.title.strip('《》')}》。")
    lines.append(NEXT_STEP)
    text = "\n".join(lines)
    yield Delta(text)
    return Composed(text, (), "extractive")
