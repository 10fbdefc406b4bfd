"""`xiaoquan eval …`: question sets in, a report out."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knowledge.errors import KnowledgeError
from ui.console import Command, Home, Json, emit, example, make_app, open_base

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from eval.outcomes import Record
    from eval.questions import Question
    from knowledge.base import KnowledgeBase

app = make_app("Measure answers, retrieval, typos, follow-ups; compare two runs.")


class System(StrEnum):
    """What ranks the documents."""

    ours = "ours"
    bm25 = "bm25"
    dense = "dense"
    langchain = "langchain"


@app.command(
    cls=Command, epilog=example("xiaoquan eval run questions.jsonl --report report/ --json")
)
def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    questions: Annotated[
        Path, typer.Argument(metavar="QUESTIONS", help="Question set: .jsonl, .csv or .xlsx.")
    ],
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Where the report goes; default: beside it."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Questions under way at once.")] = 2,
    judge: Annotated[
        bool, typer.Option("--judge", help="Also let the chat model judge; costs its calls.")
    ] = False,
    typos: Annotated[
        int | None,
        typer.Option("--typos", metavar="SEED", help="One homophone typo in each question."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask every question as citizens do; report as HTML, Markdown, JSON and JUnit XML.

    After Ctrl-C the same command goes on where it stopped: what was asked is not asked again.
    """
    from eval.mistyping import with_typos
    from eval.questions import load_questions

    loaded = load_questions(questions)
    folder = report or questions.with_name(f"{questions.stem}-report")
    if typos is not None:
        loaded = with_typos(loaded, typos)
        folder = report or questions.with_name(f"{questions.stem}-typos-{typos}-report")
    with open_base(home) as base:
        _refuse_empty(base)
        result = _asked_and_reported(loaded, questions, folder, base, workers, judge=judge)
    if as_json:
        emit(result)
    else:
        _print_values(result)
        print(f"报告：{folder / 'report.html'}")


def _refuse_empty(base: "KnowledgeBase") -> None:
    if not base.catalogue.count()[0]:
        raise KnowledgeError(
            f"数据文件夹 {str(base.home)!r} 里还没有任何资料，没有可评测的。"
            "请先运行：xiaoquan ingest 文件或文件夹"
        )


def _asked_and_reported(  # noqa: PLR0913
    questions: "list[Question]",
    source: Path,
    folder: Path,
    base: "KnowledgeBase",
    workers: int,
    *,
    judge: bool,
) -> dict[str, Any]:
    from eval.judging import chat_model
    from eval.metrics import score
    from eval.outcomes import asker
    from eval.report import Made, write_report
    from eval.runner import Store, fingerprint
    from eval.runner import run as ask_all

    model = chat_model(base.settings) if judge else None  # before an hour of asking, not after
    made_with = fingerprint(base)
    with (
        Store(folder, made_with) as store,
        _stopped_by_hand() as stop,
        _bar("提问", len(questions)) as advance,
    ):
        done = ask_all(questions, asker(base), store, workers=workers, advance=advance, stop=stop)
    judged = _judged(done.records, model) if model else {}
    made = Made(str(source), made_with, done.seconds)
    return write_report(folder, score(done.records), made, judged)


def _judged(records: "Sequence[Record]", model: "BaseChatModel") -> dict[str, float | None]:
    from eval.judging import judge_answers

    with _bar("评判", len(records)) as advance:
        return judge_answers(records, model, advance)


@app.command(
    cls=Command,
    epilog=example(
        "xiaoquan eval retrieval datasets/laws",
        "xiaoquan eval retrieval datasets/laws --system langchain --json",
    ),
)
def retrieval(  # noqa: PLR0913, PLR0917
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Holds corpus.jsonl, queries.jsonl, qrels.tsv.")
    ],
    system: Annotated[System, typer.Option(help="What ranks the documents.")] = System.ours,
    whole: Annotated[bool, typer.Option("--whole", help="Take each text as one passage.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N queries.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure how well documents are found, each ranked by its best passage (BEIR folders).

    They are ingested first where they are not: into --home if given, else, unless the usual home
    holds them all, into a cache folder, so that the next run is quick.
    """
    from eval.datasets import load_beir
    from eval.retrieval import Plan, evaluate_retrieval
    from knowledge.settings import load_settings

    beir = load_beir(folder, limit)
    plan = Plan(beir, load_settings(home=home), system.value, whole, home)
    result = evaluate_retrieval(plan, _bar)
    _show(result, as_json=as_json)


@app.command(cls=Command, epilog=example("xiaoquan eval typos typos.jsonl --json"))
def typos(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines of {wrong, right}.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure typo correction by whole sentences."""
    from eval.datasets import load_typos
    from eval.typos import corrector, measure_typos

    pairs = load_typos(file)
    with open_base(home) as base, _bar("改错", len(pairs)) as advance:
        result = measure_typos(pairs, corrector(base), advance)
    _show(result, as_json=as_json)


@app.command(
    "follow-ups", cls=Command, epilog=example("xiaoquan eval follow-ups follow-ups.jsonl --json")
)
def follow_ups(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Lines of {history, question, answers, passage}."),
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure follow-up questions, in a throw-away home with all the passages of the file."""
    from eval.datasets import load_follow_ups
    from eval.follow_ups import measure_follow_ups
    from knowledge.settings import load_settings

    result = measure_follow_ups(load_follow_ups(file), load_settings(home=home), _bar)
    _show(result, as_json=as_json)


@app.command(cls=Command, epilog=example("xiaoquan eval compare report-old/ report-new/"))
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Report folder of the run before.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Report folder of the run after.")],
    as_json: Json = False,
) -> None:
    """Tell, question by question, whether B is better than A.

    Exit status 1 where B is worse beyond chance.
    """
    from eval.compare import compare as compare_runs
    from eval.compare import load_run

    result = compare_runs(load_run(a), load_run(b))
    if as_json:
        emit(result)
    else:
        _print_comparison(result)
    if result["verdict"] == "worse":
        raise typer.Exit(1)


def _print_comparison(result: Mapping[str, Any]) -> None:
    verdicts = {"better": "B 更好", "worse": "B 更差", "same": "看不出差别"}
    print(
        f"变好 {result['better']} 题，变差 {result['worse']} 题，不变 {result['same']} 题；"
        f"p = {result['p_value']:.3g}：{verdicts[result['verdict']]}。"
    )
    for name, measure in result["measures"].items():
        if measure["a"] is not None and measure["b"] is not None:
            print(
                f"{name}: {measure['a']:.4f} → {measure['b']:.4f}（p = {measure['p_value']:.3g}）"
            )
    for what, label in (("worse", "变差的题"), ("better", "变好的题")):
        if result[f"{what}_ids"]:
            print(f"{label}：{'、'.join(result[f'{what}_ids'])}")


@app.command(cls=Command, epilog=example("xiaoquan eval draft --limit 100 --output drafts.xlsx"))
def draft(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .jsonl, .csv or .xlsx to write."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many questions at most.")] = 50,
    seed: Annotated[int, typer.Option(help="Another number, other questions.")] = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Propose a question set from the knowledge base, marked as drafts, to be pruned by hand."""
    from eval.draft import draft as propose
    from eval.questions import write_rows

    with open_base(home) as base:
        _refuse_empty(base)
        rows = propose(base, limit, seed)
    if output:
        write_rows(output, rows)
    if as_json:
        emit(rows)
    elif output:
        print(f"已拟出 {len(rows)} 题，写入 {output}。请逐题核对、删改后再用。")
    else:
        for row in rows:
            print(f"{row['question']}\t{row['facts'][0]}")


def _show(result: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(result)
    else:
        _print_values(result)


def _print_values(result: Mapping[str, Any]) -> None:
    for name, value in result.items():
        if value is not None and not isinstance(value, dict | list):
            print(f"{name}: {value}")


@contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[int], object]]:
    """Draw a progress bar; none where stderr is not a terminal."""
    from tqdm import tqdm

    with tqdm(total=total, desc=label, file=sys.stderr, leave=False, disable=None) as bar:
        yield bar.update


@contextmanager
def _stopped_by_hand() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; the second one stops at once."""
    stop = threading.Event()

    def tell(message: str) -> None:  # print() may not be entered again from a signal's handler
        os.write(sys.stderr.fileno(), f"\n{message}\n".encode(sys.stderr.encoding, "replace"))

    def interrupted(_signal: int, _frame: object) -> None:
        if stop.is_set():
            tell("立即停止。已问完的都已保存，再次运行同一条命令即可接着问。")
            os._exit(1)
        stop.set()
        tell("正在停止：等正在问的几题答完（再按一次 Ctrl-C 立即停止）……")

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
