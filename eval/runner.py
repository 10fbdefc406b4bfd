"""Asks every question, several at a time; what was asked is kept and not asked again.

Each record is appended to ``results.jsonl`` and flushed as soon as it is there. The first line
says with which settings, knowledge and code; if any of these has changed, a new file is begun and
the old one is kept beside it under another name. A finished run adds a line that names its
questions: the set may be another one the next time.
"""

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from eval.errors import InterruptedRunError, ReportError
from eval.outcomes import Ask, Outcome, Record, failure, from_json, key, to_json
from eval.questions import Question
from knowledge.base import KnowledgeBase

RESULTS = "results.jsonl"
Fingerprint = Mapping[str, str]
Entry = Record | Exception | None  # the last: a worker is done
_FINISHED = "finished"  # the field of the line that ends a run
_AWAKE = 0.2  # seconds until a Ctrl-C is noticed at the latest


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        records: In the order of the questions.
        asked: How many were asked this time; the others were there from before.
        seconds: Spent asking; for what was there from before as its own times tell.
    """

    records: tuple[Record, ...]
    asked: int
    seconds: float


# Settings that change no answer.
_NO_MATTER = {
    *("chat_api_key", "model_cache"),
    *("speech_model", "speech_url", "speech_api_key", "voice_url", "voice_model", "voice_name"),
}


def fingerprint(base: KnowledgeBase) -> dict[str, str]:
    """Say with which settings, knowledge and code questions are asked."""
    settings = base.settings.model_dump(mode="json", exclude=_NO_MATTER)
    return {
        "settings": json.dumps(settings, ensure_ascii=False, sort_keys=True),
        "knowledge": _digest(
            f"{record.id}\t{record.added}\t{record.passages}" for record in base.documents()
        ),
        "code": _code_version(base.settings.home),
    }


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _code_version(home: Path) -> str:
    """Return a hash of what makes answers, the weights and lists beside the sources with it.

    A version number alone misses edits.
    """
    import assistant
    import knowledge

    folders = [Path(package.__file__ or "").parent for package in (assistant, knowledge)]
    kinds = ("*.py", "*.npz", "*.txt")
    files = sorted(file for folder in folders for kind in kinds for file in folder.glob(kind))
    files += home.glob("synonyms.txt")
    return _digest(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


class Store:
    """The file of a run's records; safe to add to from many threads."""

    def __init__(self, folder: Path, made_with: Fingerprint) -> None:
        """Open the folder's records, or begin anew if they were made with something else.

        Raises:
            ReportError: The folder can't be written.
        """
        self.path = folder / RESULTS
        self._adding = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.records = _kept(self.path, made_with)
            if self.records is None:
                _set_aside(self.path)
                self.records = []
                self._file = self._begin(made_with)
            else:
                self._file = _reopened(self.path)
        except OSError as error:
            raise cannot_write(folder, error) from error

    def _begin(self, made_with: Fingerprint) -> IO[str]:
        file = self.path.open("w", encoding="utf-8")
        file.write(json.dumps({"made_with": dict(made_with)}, ensure_ascii=False) + "\n")
        file.flush()
        return file

    def add(self, record: Record) -> None:
        """Keep a record; it is on the disk when this returns.

        Raises:
            ReportError: The disk is full, or the file can't be written any more.
        """
        self._write(to_json(record))

    def finish(self, questions: Sequence[Question]) -> None:
        """Keep of which questions a run consisted.

        Raises:
            ReportError: The file can't be written any more.
        """
        line = json.dumps({_FINISHED: [_identity(question) for question in questions]})
        if not self.path.read_bytes().endswith(f"{line}\n".encode()):
            self._write(line)

    def _write(self, line: str) -> None:
        with self._adding:
            try:
                self._file.write(line + "\n")
                self._file.flush()
            except OSError as error:
                raise cannot_write(self.path, error) from error

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes its file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def cannot_write(path: Path, error: OSError) -> ReportError:
    """Return the error for a report that can't be written."""
    return ReportError(
        f"写不了报告 {str(path)!r}：{error.strerror or error}。"
        "请检查写权限和磁盘空间，或用 --report 另指一个文件夹。"
    )


def _kept(path: Path, made_with: Fingerprint) -> list[Record] | None:
    """Return the records of an earlier run with the same fingerprint; ``None`` if there is none."""
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    try:
        same = json.loads(lines[0])["made_with"] == dict(made_with)
    except (IndexError, KeyError, TypeError, ValueError):
        same = False
    return read_records(lines[1:]) if same else None


def read_records(lines: Sequence[str]) -> list[Record]:
    """Read the records of these lines; one that was cut off when the run was killed is left out."""
    records = []
    for line in lines:
        with suppress(ValueError):
            records.append(from_json(line))
    return records


def read_run(text: str) -> list[Record]:
    """Read the records of the last finished run, as its report has them.

    Where none was finished, the newest record of each question.
    """
    lines = text.split("\n")  # no splitlines(): JSON leaves U+2028 within a line as it is
    for end in reversed(range(len(lines))):
        if finished := _finished(lines[end]):
            newest = {_identity(r.question): r for r in read_records(lines[:end])}
            return [newest[identity] for identity in finished if identity in newest]
    return list({record.question.id: record for record in read_records(lines)}.values())


def _finished(line: str) -> list[tuple[str, str]]:
    """Return what a line says of which questions a run consisted; nothing if it is another one."""
    if not line.startswith(f'{{"{_FINISHED}"'):
        return []
    try:
        return [(id_, asked) for id_, asked in json.loads(line)[_FINISHED]]
    except ValueError:  # it was cut off
        return []


def _identity(question: Question) -> tuple[str, str]:
    return question.id, key(question)


def _set_aside(path: Path) -> None:
    if path.exists():
        made = time.strftime("%Y%m%d-%H%M%S", time.localtime(path.stat().st_mtime))
        path.rename(path.with_name(f"results-{made}.jsonl"))


def _reopened(path: Path) -> IO[str]:
    """Open for appending, behind a line of its own if the last one was cut off."""
    cut_off = not path.read_bytes().endswith(b"\n")
    file = path.open("a", encoding="utf-8")
    file.write("\n" if cut_off else "")
    return file


def run(  # noqa: PLR0913 - three of them have a default for nearly everyone
    questions: Sequence[Question],
    ask: Ask,
    store: Store,
    *,
    workers: int = 2,
    advance: Callable[[int], object] = lambda _: None,
    stop: threading.Event | None = None,
) -> Run:
    """Ask what the store does not hold yet.

    Args:
        questions: A whole set.
        ask: The assistant, or anything else that answers.
        store: Where the records go.
        workers: How many questions are under way at once.
        advance: Told how many more questions have their record.
        stop: Set it to stop after the questions that are under way.

    Raises:
        InterruptedRunError: It was stopped; the store holds what was asked.
        ReportError: The records can't be written.
    """
    started = time.perf_counter()
    stop = stop or threading.Event()
    outcomes = {_identity(r.question): r.outcome for r in store.records or ()}
    known = {identity: o for identity, o in outcomes.items() if not o.error}  # failed: once more
    todo = [q for q in questions if _identity(q) not in known]
    before = sum(known[_identity(q)].seconds for q in questions if _identity(q) in known)
    advance(len(questions) - len(todo))

    def ask_and_keep(question: Question) -> Record:
        record = Record(question, timed(ask, question))
        store.add(record)
        return record

    for record in _each(ask_and_keep, todo, workers, stop):
        known[_identity(record.question)] = record.outcome
        advance(1)
    seconds = time.perf_counter() - started + before / workers
    if missing := sum(_identity(q) not in known for q in questions):
        raise InterruptedRunError(
            f"已停止：{len(questions)} 题中问完了 {len(questions) - missing} 题，"
            f"都已保存在 {str(store.path)!r}。再次运行同一条命令即可接着问。"
        )
    records = tuple(Record(q, known[_identity(q)]) for q in questions)
    kept = {_identity(r.question): r.question for r in store.records or ()}
    kept |= {_identity(q): q for q in todo}
    for record in records:
        if kept[_identity(record.question)] != record.question:
            store.add(record)  # other facts are expected: whoever reads the records must see them
    store.finish(questions)
    return Run(records, len(todo), seconds)


def _each(
    work: Callable[[Question], Record],
    todo: Sequence[Question],
    workers: int,
    stop: threading.Event,
) -> Iterator[Record]:
    """Yield what the work gives for each, as it comes; what it raises is raised here."""
    waiting: queue.SimpleQueue[Question] = queue.SimpleQueue()
    done: queue.SimpleQueue[Entry] = queue.SimpleQueue()
    for question in todo:
        waiting.put(question)

    def take() -> None:
        try:
            while not stop.is_set():
                done.put(work(waiting.get_nowait()))
        except queue.Empty:
            pass
        except Exception as error:
            done.put(error)
        done.put(None)

    # Daemons: a second Ctrl-C does not wait for a question that hangs.
    threads = [threading.Thread(target=take, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    while threads:
        entry = _next(done)
        if isinstance(entry, Exception):
            stop.set()
            raise entry
        if entry is None:
            threads.pop()
        else:
            yield entry


def _next(done: "queue.SimpleQueue[Entry]") -> Entry:
    """Wait, but never long at once: a signal just before a blocking call is seen after it."""
    while True:
        with suppress(queue.Empty):
            return done.get(timeout=_AWAKE)


def timed(ask: Ask, question: Question) -> Outcome:
    """Ask; a question that fails has an outcome that says why."""
    started = time.perf_counter()
    try:
        outcome = ask(question)
    except Exception as error:  # one failed question must not cost the others
        outcome = failure(error)
    return replace(outcome, seconds=round(time.perf_counter() - started, 4))
