"""Files to measure on, other than question sets: BEIR folders, typos, follow-ups."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.types import Turn
from eval.errors import QuestionSetError
from eval.questions import Row, parsed, read_history, read_rows
from eval.ranking import Judgements
from knowledge.readers import ReadFailure, read_documents
from knowledge.types import Document


@dataclass(frozen=True, slots=True)
class Beir:
    """A folder in BEIR's form (Thakur et al. 2021), its documents not read yet.

    Attributes:
        queries: Texts by id; only those that are judged.
        judgements: Relevance above 0 by query and document.
    """

    folder: Path
    queries: dict[str, str]
    judgements: Judgements

    @property
    def corpus(self) -> Path:
        """The file of the documents."""
        return self.folder / "corpus.jsonl"

    def documents(self) -> Iterator[Document]:
        """Read the documents just as ``xiaoquan ingest`` would.

        Raises:
            QuestionSetError: A row can't be read: its questions could not be measured.
            UnreadableDocumentError: The file can't be read.
        """
        for document in read_documents(self.corpus.absolute()):
            if isinstance(document, ReadFailure):
                raise QuestionSetError(f"{document.path} {document.error}")
            yield document


def load_beir(folder: Path, limit: int | None = None) -> Beir:
    """Load queries and judgements; at most ``limit`` queries, the first ones.

    Raises:
        QuestionSetError: A file is missing or a line of it wrong; the message says which.
    """
    for name in ("corpus.jsonl", "queries.jsonl"):
        if not (folder / name).is_file():
            raise QuestionSetError(
                f"文件夹 {str(folder)!r} 里没有 {name}。"
                "应当有 corpus.jsonl、queries.jsonl、qrels.tsv 三个文件（BEIR 格式）。"
            )
    judgements = _judgements(_qrels_file(folder))
    queries = {
        _text(row, "_id", folder / "queries.jsonl"): _text(row, "text", folder / "queries.jsonl")
        for row in _checked_rows(folder / "queries.jsonl")
    }
    judged = [id_ for id_ in queries if judgements.get(id_)][:limit]
    if not judged:
        raise QuestionSetError(f"文件夹 {str(folder)!r} 里没有一个查询在 qrels 里有相关文档。")
    return Beir(folder, {i: queries[i] for i in judged}, {i: judgements[i] for i in judged})


def _qrels_file(folder: Path) -> Path:
    for name in ("qrels.tsv", "qrels/test.tsv"):
        if (folder / name).is_file():
            return folder / name
    raise QuestionSetError(f"文件夹 {str(folder)!r} 里没有 qrels.tsv，也没有 qrels/test.tsv。")


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, cells in enumerate(csv.reader(file, delimiter="\t"), 1):
            if not cells or (number == 1 and cells[-1] == "score"):
                continue
            try:
                query, document, relevance = cells
                if int(relevance) > 0:
                    judgements.setdefault(query, {})[document] = int(relevance)
            except ValueError:
                raise QuestionSetError(
                    f"{path}:{number} 应当是“查询、文档、整数分值”三列，以制表符分隔：{cells!r}"
                ) from None
    return judgements


def _checked_rows(path: Path) -> list[Row]:
    problems: list[str] = []
    rows = list(read_rows(path, problems))
    if problems:
        raise QuestionSetError("\n".join(problems[:20]))
    if not rows:
        raise QuestionSetError(f"{str(path)!r} 里没有一行数据。")
    return rows


def _text(row: Row, name: str, path: Path) -> str:
    value = row.fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise QuestionSetError(f"{path}:{row.number} 字段 {name}：缺失、为空或不是文字")
    return value


@dataclass(frozen=True, slots=True)
class TypoPair:
    """A sentence as typed and as it should be; equal where nothing is wrong."""

    wrong: str
    right: str


def load_typos(path: Path) -> list[TypoPair]:
    """Load ``{wrong, right}`` lines.

    Raises:
        QuestionSetError: A line is wrong; the message says which.
    """
    return [
        TypoPair(_text(row, "wrong", path), _text(row, "right", path))
        for row in _checked_rows(path)
    ]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that leans on the conversation before it, and the passage that answers it."""

    question: str
    history: tuple[Turn, ...]
    answers: tuple[str, ...]
    title: str
    text: str


def load_follow_ups(path: Path) -> list[FollowUp]:
    """Load ``{history, question, answers, passage}`` lines.

    Raises:
        QuestionSetError: A line is wrong; the message says which.
    """
    return [_follow_up(row, path) for row in _checked_rows(path)]


def _follow_up(row: Row, path: Path) -> FollowUp:
    passage: Any = row.fields.get("passage")
    if isinstance(passage, str):
        passage = _json(passage)
    answers = row.fields.get("answers")
    if not isinstance(passage, dict) or not isinstance(passage.get("text"), str):
        raise QuestionSetError(f'{path}:{row.number} 字段 passage 应当形如 {{"title", "text"}}')
    if not isinstance(answers, list) or not all(isinstance(a, str) and a for a in answers):
        raise QuestionSetError(f"{path}:{row.number} 字段 answers 应当是文字的列表")
    try:
        history = read_history(row.fields.get("history"))
    except ValueError as error:
        raise QuestionSetError(f"{path}:{row.number} {error}") from error
    return FollowUp(
        question=_text(row, "question", path),
        history=history,
        answers=tuple(answers),
        title=str(passage.get("title") or ""),
        text=passage["text"],
    )


def _json(cell: str) -> object:
    try:
        return parsed(cell)
    except (ValueError, RecursionError):
        return None
