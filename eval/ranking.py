"""Ranking measures, by ir-measures over trec_eval's own code."""

from collections.abc import Mapping, Sequence

from eval.errors import QuestionSetError

RANKING_MEASURES = ("ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10")
_NAMES = {"ndcg": "nDCG", "recall": "R", "mrr": "RR"}

Rankings = Mapping[str, Sequence[str]]
Judgements = Mapping[str, Mapping[str, int]]


def ranking_scores(
    rankings: Rankings, judgements: Judgements, measures: Sequence[str] = RANKING_MEASURES
) -> dict[str, dict[str, float]]:
    """Score rankings, by query and measure.

    nDCG has linear gains and log2 discounts, as trec_eval and BEIR have it (Järvelin & Kekäläinen
    2002). A query that is judged and has no ranking scores 0; one that is not judged is left out.

    Args:
        rankings: Document ids by query, best first, each once.
        judgements: Relevance by query and document; above 0 is relevant.
        measures: Names such as ``ndcg@10``, ``recall@5``, ``mrr@10``.

    Raises:
        QuestionSetError: ir-measures is not installed.
    """
    try:
        import ir_measures
    except ImportError as error:
        raise QuestionSetError(
            "这台机器上没有 ir-measures，算不了排序指标（它没有 Linux ARM 的现成安装包）："
            "请先装好 C 编译器，再运行 pip install ir-measures。"
        ) from error
    parsed = {_measure(name): name for name in measures}
    run = {query: _scored(ranking) for query, ranking in rankings.items()}
    scores: dict[str, dict[str, float]] = {query: {} for query in judgements}
    for metric in ir_measures.iter_calc(list(parsed), judgements, run):
        scores[metric.query_id][parsed[metric.measure]] = metric.value
    return scores


def _measure(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - ir-measures has no types
    import ir_measures

    kind, cutoff = name.split("@")
    return ir_measures.parse_measure(f"{_NAMES[kind]}@{cutoff}")


def _scored(ranking: Sequence[str]) -> dict[str, float]:
    """Turn ranks into scores without ties, since trec_eval ranks by score."""
    return {document: float(len(ranking) - at) for at, document in enumerate(ranking)}
