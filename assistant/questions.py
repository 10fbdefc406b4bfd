"""What can be asked."""

from assistant.errors import QuestionError

LONGEST_QUESTION = 2000  # characters


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
