"""Lay words and abbreviations → the words that documents use; operators add their own.

A line is ``lay words = words of documents``, several of a side with 、 between; what follows # is
a comment. The operator's file in the home comes before the bundled one and is read anew when it
has changed.
"""

import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import SynonymsError
from knowledge.plaintext import decode

log = logging.getLogger(__name__)

BUNDLED = Path(__file__).with_name("synonyms.txt")
OWN = "synonyms.txt"  # in the home
# A lay word is put into other words where the documents use these so many times as often.
OFTENER = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a file."""

    words: tuple[str, ...]
    means: tuple[str, ...]
    source: str


def read(path: Path) -> list[Entry]:
    """Read and check a file; one that is not there is empty.

    Raises:
        SynonymsError: It can't be read, or a line of it; the message names the line.
    """
    return list(_checked(_lines_of(path)))


def _lines_of(path: Path) -> Iterator[Entry | SynonymsError]:
    try:
        text = decode(path.read_bytes()) if path.exists() else ""
    except (OSError, ValueError) as error:
        raise SynonymsError(
            f"读不了同义词文件 {str(path)!r}：{error}。请存成 UTF-8 编码的文本。"
        ) from error
    return _entries(text, path)


def _checked(lines: Iterable[Entry | SynonymsError]) -> Iterator[Entry]:
    for line in lines:
        if isinstance(line, SynonymsError):
            raise line
        yield line


def write(home: Path, text: str) -> int:
    """Check and save the operator's lines of a home; return how many there are.

    Raises:
        SynonymsError: A line can't be used, or the file can't be written.
    """
    path = home / OWN
    entries = list(_checked(_entries(text, path)))
    new = path.with_suffix(".new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise SynonymsError(
            f"存不下同义词文件 {str(path)!r}：{error.strerror}。请检查权限和磁盘空间。"
        ) from error
    return len(entries)


def _entries(text: str, path: Path) -> Iterator[Entry | SynonymsError]:
    """Yield each line's entry, or what is wrong with it."""
    known: dict[str, int] = {}
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if content := line.split("#")[0].strip():
            try:
                entry = _entry(content, f"{path}:{number}", known)
            except SynonymsError as error:
                yield error
            else:
                known |= dict.fromkeys(entry.words, number)
                yield entry


def _entry(content: str, where: str, known: Mapping[str, int]) -> Entry:
    sides = [
        tuple(word.strip() for word in re.split(r"[、,，]", side))
        for side in re.split(r"[=＝]", content)
    ]
    if len(sides) != 2 or not all(sides[0] + sides[1]):
        raise SynonymsError(
            f"{where} {content!r} 不合要求：每行写成“口语词、简称 = 资料里的说法”。"
        )
    for word in sides[0]:
        if len(word) < 2:
            raise SynonymsError(f"{where} {word!r} 只有一个字，会误改别的词；请写两个字以上。")
        if word in known:
            raise SynonymsError(f"{where} {word!r} 在第 {known[word]} 行已经有了，请合并。")
    return Entry(sides[0], sides[1], where)


class Synonyms:
    """Puts a question into the documents' words where they hardly use the question's own."""

    def __init__(self, home: Path, count: Callable[[str], int]) -> None:
        """Take the operator's file of a home; ``count`` tells how often documents have a word."""
        self._path = home / OWN
        self._count = count
        self._read: tuple[object, Mapping[str, tuple[str, ...]]] = (None, {})

    def worded(self, question: str) -> str:
        """Return the question with lay words replaced by what the documents say instead."""
        table = self._table()
        found = [word for word in sorted(table, key=len, reverse=True) if word in question]
        for word in found:
            if word in question and not any(formal in question for formal in table[word]):
                counts = {formal: self._count(formal) for formal in table[word]}
                formal = max(counts, key=counts.__getitem__)
                if counts[formal] > OFTENER * self._count(word):
                    question = question.replace(word, formal)
        return question

    def reworded(self, question: str) -> str:
        """Return the question with every lay word replaced for which any document says another.

        Where some documents use the one and some the other, either wording may find the answer.
        """
        table = self._table()
        for word in sorted(table, key=len, reverse=True):
            if word in question and not any(formal in question for formal in table[word]):
                counts = {formal: self._count(formal) for formal in table[word]}
                formal = max(counts, key=counts.__getitem__)
                question = question.replace(word, formal) if counts[formal] else question
        return question

    def means(self, word: str) -> tuple[str, ...]:
        """Return what documents say for a lay word; nothing where that is not known."""
        return self._table().get(word, ())

    def _table(self) -> Mapping[str, tuple[str, ...]]:
        """Return the words; while something of the operator's file can't be read, those of before.

        What is wrong with one line takes the other lines nothing.
        """
        stamp = _stamp(self._path)
        if stamp != self._read[0]:
            own, wrong = _usable(self._path)
            before = self._read[1] if wrong else {}
            self._read = stamp, {**_table(read(BUNDLED)), **before, **_table(own)}
        return self._read[1]


def _table(entries: Iterable[Entry]) -> dict[str, tuple[str, ...]]:
    return {word: entry.means for entry in entries for word in entry.words}


def _usable(path: Path) -> tuple[list[Entry], bool]:
    """Return the lines that can be used, and whether there are others, which are logged."""
    try:
        lines = list(_lines_of(path))
    except SynonymsError as error:
        lines = [error]
    wrong = [line for line in lines if isinstance(line, SynonymsError)]
    for problem in wrong:
        log.warning("%s", problem)
    return [line for line in lines if isinstance(line, Entry)], bool(wrong)


def _stamp(path: Path) -> tuple[int, int] | str:
    try:
        about = path.stat()
    except OSError:
        return "none"
    return about.st_mtime_ns, about.st_size
