"""Files in, documents out: which files can be read, and one function per format."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import UnreadableDocumentError
from knowledge.facts import iso_date, normal_number, policy_facts
from knowledge.kinds import advice
from knowledge.pages import without_running_lines
from knowledge.pdf_tables import Rows, page_text, with_tables
from knowledge.plaintext import (
    clean,
    clean_characters,
    decode,
    file_date,
    file_title,
    first_title,
    short_title,
    tidy_lines,
)
from knowledge.reflow import newspaper_page, rejoin
from knowledge.splitting import HEADING_LONGEST
from knowledge.table_heads import parted
from knowledge.tables import Sheet, csv_sheets, markdown_table, xlsx_sheets
from knowledge.types import Document
from knowledge.webpages import read_page
from knowledge.word import word_text

_ID_CHARS = 12  # of the SHA-256 in hexadecimal: 48 bits, enough for millions of documents
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # OLE2: .doc and .xls, and any encrypted file
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT_MATTER = re.compile(r"---\n((?:[^\n:]+:[^\n]*\n)+)---\n")
# What one document may hold: twenty thick books. More is a corpus in one file, which nobody could
# cite from, and whose passages would take hours to embed in one step.
_MOST_BYTES = 32 << 20  # of a file that is text
_MOST_CHARS = 12_000_000
_DATES = frozenset({"date", "effective", "expires"})
_NOT_METADATA = frozenset({"id", "_id", "title", "text"})


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """What could not be read, and why.

    Attributes:
        path: The path as given; for a row, ``file:line``.
        error: Why, and what to do about it, in Chinese.
    """

    path: str
    error: str


class Skipped(ReadFailure):
    """A file in a folder that may be a document, of a kind that can't be read."""


Reader = Callable[[Path], Iterator[Document | ReadFailure]]


def find_files(paths: Iterable[Path]) -> Iterator[Path | ReadFailure]:
    """Find the files that can be read, in folders and below them, in sorted order.

    In folders, hidden files and those of other kinds are passed over, with a word on those that may
    be documents (``Skipped``); a path that was named itself and can't be read is a failure. Links
    are followed, each file and folder once.
    """
    seen: set[Path] = set()
    for path in paths:
        yield from _walk(Path(os.path.abspath(path)), seen, named=True)


def read_documents(path: Path) -> Iterator[Document | ReadFailure]:
    """Read a file's documents, one by one; a row that can't be read is a failure of its own.

    Raises:
        UnreadableDocumentError: The file as a whole can't be read.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise _unreadable(path, _unknown_suffix(path))
    try:
        _refuse_old_office(path)
        yield from reader(path)
    except UnreadableDocumentError:
        raise
    except OSError as error:
        reason = f"{error.strerror or error}。请检查文件是否存在、是否有读取权限"
        raise _unreadable(path, reason) from error
    except Exception as error:  # whatever a library raises on a damaged file
        reason = f"{error or type(error).__name__}。文件可能已损坏，请打开检查后另存一份再试"
        raise _unreadable(path, reason) from error


def read_document(path: Path) -> Document:
    """Read a file that is one document.

    Raises:
        UnreadableDocumentError: It can't be read, or it holds rows that are documents each.
    """
    documents = list(read_documents(path))
    if len(documents) != 1 or isinstance(documents[0], ReadFailure):
        raise _unreadable(
            path, f"其中有 {len(documents)} 行，不是一份文档。请用 read_documents 逐行读取"
        )
    return documents[0]


def _unreadable(path: Path, reason: str) -> UnreadableDocumentError:
    return UnreadableDocumentError(f"无法读取 {str(path)!r}：{reason.rstrip('。')}。")


def _unknown_suffix(path: Path) -> str:
    what_to_do = advice(path.suffix) or f"可以读取：{'、'.join(SUFFIXES)}"
    return f"不支持的文件类型 {path.suffix!r}。{what_to_do}"


def _refuse_old_office(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(_OLD_OFFICE))
    if start == _OLD_OFFICE:
        raise _unreadable(
            path, "文件设有密码，或是旧版 Office 格式。请去掉密码，或另存为 .docx、.xlsx 后再试"
        )


def _walk(path: Path, seen: set[Path], *, named: bool) -> Iterator[Path | ReadFailure]:
    readable = path.suffix.lower() in READERS
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        if named or readable:
            yield ReadFailure(str(path), "路径不存在，或链接没有尽头。请检查路径是否写对。")
        return
    if real in seen:
        return
    if real.is_dir():
        seen.add(real)
        yield from _walk_folder(path, seen)
    elif readable and real.is_file():
        seen.add(real)
        yield path
    elif named:
        reason = "不是普通文件。请给出文件或文件夹" if readable else _unknown_suffix(path)
        yield ReadFailure(str(path), reason.rstrip("。") + "。")
    elif advice(path.suffix) and real.is_file():
        seen.add(real)
        yield Skipped(str(path), f"{_unknown_suffix(path)}。")


def _walk_folder(folder: Path, seen: set[Path]) -> Iterator[Path | ReadFailure]:
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        yield ReadFailure(str(folder), f"文件夹打不开：{error.strerror}。请检查读取权限。")
        return
    for child in children:
        if not child.name.startswith((".", "~$")):  # ~$: what Office keeps beside an open file
            yield from _walk(child, seen, named=False)


def stored(words: str) -> str:
    """Return a path or name as text that can be stored: names on disk need not be Unicode.

    Those that came out of a Chinese Windows are read as what they were there.
    """
    return "/".join(map(_stored_name, os.fsencode(words).split(b"/")))


def _stored_name(name: bytes) -> str:
    try:
        return decode(name)
    except ValueError:
        return name.decode("utf-8", "backslashreplace")


def _hash(path: str, part: str = "") -> str:
    return hashlib.sha256(os.fsencode(path) + part.encode()).hexdigest()[:_ID_CHARS]


def _document(
    path: Path, text: str, title: str, given: Mapping[str, str] | None = None
) -> Document:
    """A file's one document, with the facts in its text below those given."""
    if not text.strip():
        raise _unreadable(path, "文件里没有文字。请确认文件内容后再试")
    if len(text) > _MOST_CHARS:
        raise _unreadable(path, _too_much(f"{len(text):,} 字", f"{_MOST_CHARS:,} 字"))
    title = clean(title).replace("\n", " ") or file_title(stored(path.stem))
    dated = iso_date(file_date(path.stem))
    metadata = _metadata(text, title, given or {}, dated)
    return Document(_hash(str(path.resolve())), title, text, stored(str(path.absolute())), metadata)


def _metadata(text: str, title: str, given: Mapping[str, str], dated: str = "") -> dict[str, str]:
    names = {clean(name): value for name, value in given.items()}
    kept = {name: value for name, v in names.items() if name and (value := _value(name, v))}
    if number := normal_number(kept.get("document_number", "")):
        kept["document_number"] = number
    facts = policy_facts(text, title, kept.get("date") or dated)
    return ({"date": dated} if dated else {}) | facts | kept


def _value(name: str, given: str) -> str:
    """What is given under a name; nothing where it can't be read as the date that it should be."""
    value = clean(given)
    return iso_date(value) if name in _DATES else value


def _too_much(size: str, most: str) -> str:
    return f"一份文档至多 {most}，这里有 {size}。请按章节拆成几个文件再载入"


def _text_of(path: Path) -> str:
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise _unreadable(path, _too_much(f"{size >> 20} MB", f"{_MOST_BYTES >> 20} MB"))
    try:
        return clean_characters(decode(path.read_bytes()))
    except ValueError as error:
        raise _unreadable(path, f"{error}。请另存为 UTF-8 编码的文本后再试") from error


def _laid_out(path: Path, text: str) -> Document:
    """A document from text whose lines a page's layout may have broken."""
    page = newspaper_page(text)
    body = tidy_lines(page.text if page else rejoin(text))
    title = (page.title if page else "") or first_title(body, file_title(stored(path.stem)))
    return _document(path, body, title, page.metadata if page else None)


def _txt(path: Path) -> Iterator[Document]:
    yield _laid_out(path, _text_of(path))


def _markdown(path: Path) -> Iterator[Document]:
    text = _COMMENT.sub("", _text_of(path))
    front = _FRONT_MATTER.match(text)
    pairs = (line.partition(":") for line in front[1].splitlines()) if front else ()
    given = {key.strip().lower(): value.strip(" \t\"'") for key, _, value in pairs}
    body = tidy_lines(text[front.end() :] if front else text, indents=True)
    title = given.pop("title", "") or first_title(body, file_title(stored(path.stem)))
    yield _document(path, body, title, given)


def _html(path: Path) -> Iterator[Document]:
    markup = _text_of(path)
    if not markup.strip():
        raise _unreadable(path, "文件是空的。请确认文件内容后再试")
    page = read_page(markup)
    body = tidy_lines(clean_characters(page.text), indents=True)
    yield _document(path, body, page.title or first_title(body, ""), page.metadata)


def _docx(path: Path) -> Iterator[Document]:
    body = clean(word_text(path))
    yield _document(path, body, first_title(body, file_title(stored(path.stem))))


def _pdf(path: Path) -> Iterator[Document]:
    tables: list[Rows] = []
    pages = _pdf_pages(path, tables)
    text = clean_characters(with_tables("\n".join(without_running_lines(pages)), tables))
    if not text.strip():
        raise _unreadable(path, "PDF 里没有文字层（多半是扫描件）。请先做文字识别（OCR）再试")
    yield _laid_out(path, text)


def _pdf_pages(path: Path, tables: list[Rows]) -> list[str]:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise _unreadable(path, "PDF 设有密码。请去掉密码后再试") from error
        raise _unreadable(path, "PDF 已损坏或不完整。请重新下载或另存后再试") from error
    try:
        return [page_text(page, tables) for page in pdf]
    finally:
        pdf.close()


def _csv(path: Path) -> Iterator[Document | ReadFailure]:
    try:
        sheets = csv_sheets(path)
    except ValueError as error:
        raise _unreadable(path, f"{error}。请另存为 UTF-8 编码的 .csv 后再试") from error
    yield from _sheets(path, sheets)


def _xlsx(path: Path) -> Iterator[Document | ReadFailure]:
    yield from _sheets(path, xlsx_sheets(path))


def _sheets(path: Path, sheets: list[Sheet]) -> Iterator[Document | ReadFailure]:
    """Each row a document, in a table with the columns title and text; else one for the file."""
    sheets = [sheet for sheet in sheets if sheet.rows]
    headers = [[clean(name).lower() for name in sheet.rows[0][1]] for sheet in sheets]
    if sheets and all({"title", "text"} <= set(header) for header in headers):
        rows = (
            (number, dict(zip(header, cells, strict=False)))
            for sheet, header in zip(sheets, headers, strict=True)
            for number, cells in sheet.rows[1:]
        )
        yield from _rows(path, rows)
        return
    text = clean("\n\n".join(block for sheet in sheets for block in _sheet_blocks(sheet)))
    yield _document(path, text, file_title(stored(path.stem)))


def _sheet_blocks(sheet: Sheet) -> Iterator[str]:
    """A sheet in Markdown; a title or a unit above its table is a heading, so that rows know it."""
    captions, rows = parted(cells for _, cells in sheet.rows)
    heading = " ".join(caption for caption in captions if len(caption) <= HEADING_LONGEST)
    if sheet.name:
        yield f"# {sheet.name}"
    if heading:
        yield f"## {heading}" if sheet.name else f"# {heading}"
    yield from (caption for caption in captions if len(caption) > HEADING_LONGEST)
    yield markdown_table(rows)


def _jsonl(path: Path) -> Iterator[Document | ReadFailure]:
    yield from _rows(path, _json_rows(path))


def _json_rows(path: Path) -> Iterator[tuple[int, object]]:
    with path.open("rb") as file:
        if b"\x00" in file.read(8192):
            raise _unreadable(
                path, "内容是二进制数据，不是文本。请另存为 UTF-8 编码的 .jsonl 后再试"
            )
        file.seek(0)
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _json_row(line)


def _json_row(line: bytes) -> object:
    try:
        return json.loads(decode(line))
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return ReadFailure("", f"这一行不是有效的 JSON（{reason}）")


def _rows(path: Path, rows: Iterable[tuple[int, object]]) -> Iterator[Document | ReadFailure]:
    first_lines: dict[str, int] = {}
    titles: Counter[str] = Counter()
    number = 0
    for number, fields in rows:
        row = _row(path, fields, titles)
        if isinstance(row, Document):
            first = first_lines.setdefault(row.id, number)
            row = row if first == number else ReadFailure("", f"id {row.id!r} 与第 {first} 行重复")
        if isinstance(row, ReadFailure):
            place = f"{stored(str(path))}:{number}"
            row = ReadFailure(place, f"{row.error}。已跳过，请改正后重新载入。")
        yield row
    if not number:
        raise _unreadable(path, "文件里没有一行数据。请确认文件内容后再试")


def _row(path: Path, fields: object, titles: Counter[str]) -> Document | ReadFailure:
    """One row as a document; a failure without its place, if it can't be one.

    Without an id of its own it is known by its title, and stays so when rows are put above it.
    """
    if isinstance(fields, ReadFailure):
        return fields
    if not isinstance(fields, dict):
        return ReadFailure("", '这一行不是 JSON 对象，应当是 {"title": …, "text": …}')
    text = fields.get("text")
    if not isinstance(text, str) or not (text := clean(text)):
        return ReadFailure("", "字段 text 缺失、为空或不是文字")
    if len(text) > _MOST_CHARS:
        return ReadFailure("", _too_much(f"{len(text):,} 字", f"{_MOST_CHARS:,} 字"))
    values = {name: _scalar(value) for name, value in fields.items()}
    given = {name: value for name, value in values.items() if name not in _NOT_METADATA}
    own = clean(values.get("id", "") or values.get("_id", ""))
    title = " ".join(clean(values.get("title", "")).split()) or short_title(text)
    titles[title] += 1
    key = own or _hash(str(path.resolve()), f"#{title}#{titles[title]}")
    source = f"{stored(str(path.absolute()))}#{key}"
    return Document(key, title, text, source, _metadata(text, title, given))


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


READERS: dict[str, Reader] = {
    ".txt": _txt,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".docx": _docx,
    ".pdf": _pdf,
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".jsonl": _jsonl,
}
SUFFIXES = tuple(READERS)
TABLES = frozenset({".csv", ".xlsx", ".jsonl"})  # suffixes of files that can hold rows
