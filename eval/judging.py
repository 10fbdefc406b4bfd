"""Measures that a chat model judges, through openevals; an extra, never needed.

openevals rather than ragas: ragas 0.4.3, its last release, no longer imports beside a current
langchain-community, and brings 800 MB.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eval.errors import QuestionSetError
from eval.outcomes import Record
from knowledge.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def chat_model(settings: Settings) -> "BaseChatModel":
    """Return the chat model that the settings name.

    Raises:
        QuestionSetError: None is set, or the extra is not installed.
    """
    if not settings.chat_model:
        raise QuestionSetError(
            "没有设置评判用的对话模型。请设置 XIAOQUAN_CHAT_MODEL（例如 ollama:qwen3），"
            "或去掉 --judge。"
        )
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise _not_installed() from error
    given = {
        "base_url": settings.chat_base_url,
        "api_key": settings.chat_api_key.get_secret_value(),
    }
    model: BaseChatModel = init_chat_model(
        settings.chat_model, temperature=0, **{name: v for name, v in given.items() if v}
    )
    return model


def _not_installed() -> QuestionSetError:
    return QuestionSetError("--judge 需要另外的包：请运行 pip install 'xiaoquan[judge]'。")


def judge_answers(
    records: Sequence[Record],
    model: "BaseChatModel",
    advance: Callable[[int], object] = lambda _: None,
) -> dict[str, float | None]:
    """Return the mean faithfulness to the quotes and relevance to the question, in [0, 1].

    Refusals and failed questions are left out; so is what the model gives no usable judgement of.

    Raises:
        QuestionSetError: The extra is not installed.
    """
    try:
        from openevals.llm import create_llm_as_judge
        from openevals.prompts import RAG_GROUNDEDNESS_PROMPT, RAG_HELPFULNESS_PROMPT
    except ImportError as error:
        raise _not_installed() from error
    faithful = create_llm_as_judge(prompt=RAG_GROUNDEDNESS_PROMPT, judge=model, continuous=True)
    relevant = create_llm_as_judge(prompt=RAG_HELPFULNESS_PROMPT, judge=model, continuous=True)
    judged: dict[str, list[float]] = {"faithfulness": [], "answer_relevancy": []}
    for record in records:
        if not record.outcome.refused and not record.outcome.error:
            quotes = "\n\n".join(citation.quote for citation in record.outcome.citations)
            question, answer = record.question.question, record.outcome.answer
            judged["faithfulness"] += _score(faithful, context=quotes, outputs=answer)
            judged["answer_relevancy"] += _score(relevant, inputs=question, outputs=answer)
        advance(1)
    return {name: _mean(scores) for name, scores in judged.items()}


def _score(judge: Callable[..., Mapping[str, Any]], **given: str) -> list[float]:
    try:
        return [float(judge(**given)["score"])]
    except Exception:  # whatever a model or its service may do: the other answers count
        return []


def _mean(scores: Sequence[float]) -> float | None:
    return round(sum(scores) / len(scores), 4) if scores else None
