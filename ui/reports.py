"""Evaluations on the operator pages: run a question set, list the reports, open one."""

import json
import re
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import FileResponse

from knowledge.base import KnowledgeBase
from ui.errors import BusyError, RequestError, describe
from ui.service import Served

FOLDER = "reports"  # in the home
SHOWN = 100  # reports
_SUFFIXES = {".jsonl", ".csv", ".xlsx"}
_BUSY = "正在评测另一套问题，请等它做完。"
_BUSY_SECONDS = 60
_KIND = "不支持的文件类型 {suffix!r}。问题集应当是：{known}。"
_NONE = "没有名为 {name!r} 的评测报告。"
_EMPTY = "资料库是空的，没有可评测的。请先上传资料。"

reports = APIRouter(include_in_schema=False)


@dataclass(slots=True)
class Run:
    """One evaluation and how far it is; written by its thread alone."""

    name: str = ""
    done: int = 0
    total: int = 0
    error: str = ""
    running: bool = False


class Evaluations:
    """Runs one question set at a time, beside the citizens: one question after the other."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base
        self._one = threading.Lock()
        self.last = Run()

    def start(self, folder: Path, questions: Path) -> Run:
        """Read a question set and begin to ask it.

        Raises:
            QuestionSetError: The message says which line can't be used.
            BusyError: Another one is under way.
        """
        from eval.questions import load_questions

        loaded = load_questions(questions)
        if not self._one.acquire(blocking=False):
            raise BusyError(_BUSY, _BUSY_SECONDS)
        self.last = Run(folder.name, total=len(loaded), running=True)
        work = (self.last, folder, questions, loaded)
        threading.Thread(target=self._run, args=work, name="evaluation", daemon=True).start()
        return self.last

    def _run(self, run: Run, folder: Path, source: Path, questions: list[Any]) -> None:
        try:
            self._report(run, folder, source, questions)
        except Exception as error:  # one that nobody expected is logged there
            run.error = describe(error)[1]
        finally:
            run.running = False
            self._one.release()

    def _report(self, run: Run, folder: Path, source: Path, questions: list[Any]) -> None:
        from eval.metrics import score
        from eval.outcomes import asker
        from eval.report import Made, write_report
        from eval.runner import Store, fingerprint
        from eval.runner import run as ask_all

        def advance(more: int) -> None:
            run.done += more

        made_with = fingerprint(self._base)
        with Store(folder, made_with) as store:
            done = ask_all(questions, asker(self._base), store, workers=1, advance=advance)
        write_report(folder, score(done.records), Made(source.name, made_with, done.seconds))


@reports.get("/admin/reports")
def listed(served: Served) -> list[Mapping[str, Any]]:
    """Return the reports with their figures, the newest first."""
    found = sorted((served.base.home / FOLDER).glob("*/report.json"), key=_age)
    return [_shown(path) for path in found[:SHOWN]]


@reports.post("/admin/reports")
async def evaluate(request: Request, file: UploadFile, served: Served) -> Mapping[str, Any]:
    """Ask an uploaded question set."""
    if not served.base.catalogue.count()[0]:
        raise RequestError(422, _EMPTY)
    questions = await to_thread.run_sync(_saved, file, served.base.home / FOLDER)
    evaluations: Evaluations = request.app.state.evaluations
    try:
        run = await to_thread.run_sync(evaluations.start, questions.parent, questions)
    except Exception:
        shutil.rmtree(questions.parent)
        raise
    return asdict(run)


@reports.get("/admin/evaluation")
async def under_way(request: Request) -> Mapping[str, Any]:
    """Return how far the last evaluation of this process is."""
    evaluations: Evaluations = request.app.state.evaluations
    return asdict(evaluations.last)


@reports.get("/admin/reports/{name}")
def opened(name: str, served: Served) -> FileResponse:
    """Return one report as a page."""
    path = served.base.home / FOLDER / name / "report.html"
    if not re.fullmatch(r"[\w-]+", name) or not path.is_file():
        raise RequestError(404, _NONE.format(name=name))
    return FileResponse(path, media_type="text/html")


def _age(path: Path) -> float:
    return -path.stat().st_mtime


def _shown(path: Path) -> Mapping[str, Any]:
    report = json.loads(path.read_text(encoding="utf-8"))
    made = path.stat().st_mtime
    return {"name": path.parent.name, "source": report["source"], "made": made, **report["summary"]}


def _saved(file: UploadFile, reports: Path) -> Path:
    """Save a question set in a folder of its own, named after the time."""
    given = PurePosixPath((file.filename or "").replace("\\", "/"))
    suffix = given.suffix.lower()
    if suffix not in _SUFFIXES:
        known = "、".join(sorted(_SUFFIXES))
        raise RequestError(422, _KIND.format(suffix=suffix, known=known))
    stem = re.sub(r"[^\w-]", "", given.stem)[:60] or "questions"
    folder = reports / f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1000:03}"
    folder.mkdir(parents=True)
    path = folder / f"{stem}{suffix}"
    with path.open("wb") as saved:
        shutil.copyfileobj(file.file, saved)
    return path
