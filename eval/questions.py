"""Question sets: JSONL, CSV or Excel in, checked questions out."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.types import Turn
from eval.errors import QuestionSetError
from eval.facts import Fact

COLUMNS = ("id", "question", "facts", "answerable", "history", "relevant", "kind", "answer")
SUFFIXES = (".jsonl", ".csv", ".xlsx")
_PROBLEMS_SHOWN = 20
_YES = {"true", "1", "1.0", "yes", "是", "能", "可以", "对"}
_NO = {"false", "0", "0.0", "no", "否", "不能", "不可以", "错"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what is expected of the answer.

    Attributes:
        id: Unique within its set; the line's number where the set gives none.
        facts: All must be stated; each is one wording or a tuple of alternatives.
        answerable: Whether the documents hold the answer; if not, it is to be refused.
        history: The conversation so far.
        relevant: Ids of the documents that hold the answer.
        kind: Any word to group by.
        answer: A whole reference answer, where there is one.
    """

    id: str
    question: str
    facts: tuple[Fact, ...]
    answerable: bool
    history: tuple[Turn, ...] = ()
    relevant: tuple[str, ...] = ()
    kind: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, not checked yet."""

    number: int
    fields: Mapping[str, Any]


class _FieldError(ValueError):
    """A field can't be used; the message says which and why."""


def load_questions(path: Path) -> list[Question]:
    """Load and check a question set.

    Raises:
        QuestionSetError: It can't be read, or anything in it is wrong; the message names file,
            line and field of the first 20 problems.
    """
    problems: list[str] = []
    questions: dict[str, Question] = {}
    for row in read_rows(path, problems):
        try:
            question = _question(row)
            if question.id in questions:
                raise _FieldError(f"字段 id：{question.id!r} 重复，每题的 id 应当不同")
            questions[question.id] = question
        except _FieldError as error:
            problems.append(f"{path}:{row.number} {error}")
    if problems:
        raise QuestionSetError(_listed(problems))
    if not questions:
        raise QuestionSetError(
            f"{str(path)!r} 里没有一道题。每题一行，至少要有 question、facts、answerable。"
        )
    return list(questions.values())


def _listed(problems: list[str]) -> str:
    more = len(problems) - _PROBLEMS_SHOWN
    lines = problems[:_PROBLEMS_SHOWN] + ([f"……另有 {more} 处"] if more > 0 else [])
    return f"题目文件有 {len(problems)} 处问题，请改正后重试：\n" + "\n".join(lines)


def read_rows(path: Path, problems: list[str]) -> Iterator[Row]:
    """Yield a file's rows by the names of their columns; bad lines are added to ``problems``.

    Raises:
        QuestionSetError: The file can't be read, or is of another kind.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise QuestionSetError(
            f"不支持 {str(path)!r} 这种文件（{path.suffix or '没有后缀'}）。"
            f"可以用：{'、'.join(SUFFIXES)}。"
        )
    try:
        yield from reader(path, problems)
    except OSError as error:
        raise QuestionSetError(
            f"读不了 {str(path)!r}：{error.strerror}。请检查路径和读取权限。"
        ) from error
    except QuestionSetError:
        raise
    except Exception as error:  # whatever a library raises on a damaged file
        raise QuestionSetError(
            f"读不了 {str(path)!r}：{error}。文件可能已损坏，请另存一份再试。"
        ) from error


def _jsonl_rows(path: Path, problems: list[str]) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield Row(number, _json_object(line))
                except (ValueError, RecursionError) as error:
                    problems.append(f"{path}:{number} 这一行不是可用的 JSON：{error}")


def _json_object(line: bytes) -> dict[str, Any]:
    fields = parsed(line.decode("utf-8-sig"))
    if not isinstance(fields, dict):
        raise ValueError('应当是一个对象，形如 {"question": …}')
    return fields


def parsed(text: str) -> Any:  # noqa: ANN401
    """Read JSON that can be written again.

    Raises:
        ValueError: It is none, or holds half a character, such as of an emoji that was cut.
    """
    value = json.loads(text)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.start + 1]
        raise ValueError(f"有半个字符 {half!r}（例如被截断的表情符号），请删去") from error
    return value


def _csv_rows(path: Path, problems: list[str]) -> Iterator[Row]:
    from knowledge.tables import csv_sheets

    return _table_rows(csv_sheets(path)[0].rows, path, problems)


def _xlsx_rows(path: Path, problems: list[str]) -> Iterator[Row]:
    from knowledge.tables import xlsx_sheets

    return _table_rows(xlsx_sheets(path)[0].rows, path, problems)


def _table_rows(
    rows: Iterable[tuple[int, tuple[str, ...]]], path: Path, problems: list[str]
) -> Iterator[Row]:
    lines = iter(rows)
    first, header = next(lines, (0, ()))
    named = Counter(filter(None, header))
    if twice := [name for name, times in named.items() if times > 1]:
        problems.append(f"{path}:{first} 表头有重复的列：{'、'.join(map(repr, twice))}")
        return
    for number, cells in lines:
        if len(cells) > len(header):
            problems.append(f"{path}:{number} 有 {len(cells)} 格，表头只有 {len(header)} 列")
            continue
        yield Row(number, {n: c for n, c in zip(header, cells, strict=False) if c})


_READERS: Mapping[str, Callable[[Path, list[str]], Iterator[Row]]] = {
    ".jsonl": _jsonl_rows,
    ".csv": _csv_rows,
    ".xlsx": _xlsx_rows,
}


def _question(row: Row) -> Question:
    fields = row.fields
    if unknown := sorted(set(fields) - set(COLUMNS)):
        raise _FieldError(
            f"字段 {'、'.join(map(repr, unknown))} 不认识，可用的有：{'、'.join(COLUMNS)}"
        )
    facts = _facts(fields.get("facts"))
    answerable = _flag(fields.get("answerable"), facts)
    if answerable and not facts:
        raise _FieldError("字段 facts：可以回答的题目（answerable 为 true）要写出答案应含的要点")
    return Question(
        id=_words(fields, "id") or str(row.number),
        question=_asked(fields),
        facts=facts,
        answerable=answerable,
        history=read_history(fields.get("history")),
        relevant=tuple(_list(fields.get("relevant"), "relevant")),
        kind=_words(fields, "kind"),
        answer=_words(fields, "answer"),
    )


def _asked(fields: Mapping[str, Any]) -> str:
    question = _words(fields, "question")
    if not question:
        raise _FieldError("字段 question：问题是空的")
    return question


def _words(fields: Mapping[str, Any], name: str) -> str:
    words = fields.get(name)
    if words is None:
        return ""
    if isinstance(words, bool) or not isinstance(words, str | int | float):
        raise _FieldError(f"字段 {name}：{_short(words)} 不是文字")
    return str(words).strip()


def _flag(given: object, facts: tuple[Fact, ...]) -> bool:
    if given is None and facts:
        return True
    word = str(given).strip().lower()
    if word not in _YES | _NO:
        raise _FieldError(f"字段 answerable：{_short(given)} 应当是 true 或 false（是或否）")
    return word in _YES


def _facts(given: object) -> tuple[Fact, ...]:
    facts: list[Fact] = []
    for item in _items(given, "facts"):
        fact = tuple(item) if isinstance(item, list) else item
        wordings = fact if isinstance(fact, tuple) else (fact,)
        if not wordings or not all(isinstance(one, str) and one.strip() for one in wordings):
            raise _FieldError(f"字段 facts：{_short(fact)} 应当是一段文字，或几种写法的列表")
        facts.append(fact)
    return tuple(facts)


def _items(given: object, name: str) -> list[Any]:
    """A list as it is; in a table's cell, a JSON list or lines, with ``|`` between alternatives."""
    if given is None or given == "":
        return []
    if isinstance(given, str):
        if not given.lstrip().startswith("["):
            lines = [line.strip() for line in given.splitlines() if line.strip()]
            return [tuple(line.split("|")) if "|" in line else line for line in lines]
        given = _json_cell(given, name)
    if not isinstance(given, list):
        raise _FieldError(f"字段 {name}：{_short(given)} 应当是一个列表")
    return given


def _json_cell(cell: str, name: str) -> object:
    try:
        return parsed(cell)
    except (ValueError, RecursionError) as error:
        raise _FieldError(f"字段 {name}：{_short(cell)} 不是可用的 JSON：{error}") from error


def _list(given: object, name: str) -> list[str]:
    items = _items(given, name)
    if not all(isinstance(item, str) and item for item in items):
        raise _FieldError(f"字段 {name}：{_short(given)} 应当是文字的列表")
    return items


def read_history(given: object) -> tuple[Turn, ...]:
    """Return the turns of a history: ``{role, content}`` each, or ``{question, answer}`` pairs.

    Raises:
        ValueError: It has another shape.
    """
    turns: list[Turn] = []
    for entry in _items(given, "history"):
        match entry:
            case {"role": "user" | "assistant" as role, "content": str(content)}:
                turns.append(Turn(role, content))
            case {"question": str(question), "answer": str(answer)}:
                turns += [Turn("user", question), Turn("assistant", answer)]
            case _:
                raise _FieldError(
                    f"字段 history：{_short(entry)} 应当形如"
                    ' {"role": "user", "content": …} 或 {"question": …, "answer": …}'
                )
    return tuple(turns)


def _short(value: object) -> str:
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "…"


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as a question set, in the form that the file's suffix names.

    Raises:
        QuestionSetError: The suffix is another, or the file can't be written.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise QuestionSetError(
            f"不支持写成 {str(path)!r} 这种文件。可以用：{'、'.join(SUFFIXES)}。"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(path, list(rows))
    except OSError as error:
        raise QuestionSetError(
            f"写不了 {str(path)!r}：{error.strerror}。请检查路径和写权限。"
        ) from error


def _write_jsonl(path: Path, rows: list[Mapping[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


def _write_csv(path: Path, rows: list[Mapping[str, Any]]) -> None:
    import csv

    # Excel takes a CSV file for UTF-8 only with a byte order mark.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(_table(rows))


def _write_xlsx(path: Path, rows: list[Mapping[str, Any]]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for cells in _table(rows):
        sheet.append(cells)
    for row in sheet.iter_rows():
        for cell in row:
            cell.data_type = "s"  # never a formula, whatever the words begin with
    sheet.freeze_panes = "A2"
    book.save(path)


def _table(rows: list[Mapping[str, Any]]) -> Iterator[list[str]]:
    columns = [name for name in COLUMNS if any(name in row for row in rows)]
    yield columns
    for row in rows:
        yield [_cell(row.get(name, "")) for name in columns]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_WRITERS: Mapping[str, Callable[[Path, list[Mapping[str, Any]]], None]] = {
    ".jsonl": _write_jsonl,
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
}
