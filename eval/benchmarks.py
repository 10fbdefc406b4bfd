"""Runs every command that docs/benchmarks.md shows, and writes its tables.

    python -m eval.benchmarks --data ../shared [--tables]

What a command printed is kept, with its time and memory: the next run takes up where this one
stopped. Delete a result to measure it anew; homes are kept beside the results.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / ".cache" / "bench"
_TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

SYSTEMS = ("ours", "bm25", "dense", "langchain")
# Result name → command, in the order in which they need one another. {data} is the folder of
# the data sets, {kept} that of homes and reports.
COMMANDS: Mapping[str, str] = {
    "article-ingest": "ingest {data}/corpus/泉州晚报-2025-07-01-T14.txt --home {kept}/article",
    "article": "eval run {data}/questions/article.jsonl --home {kept}/article"
    " --report {kept}/article-report",
    **{
        f"pandemic-{system}": "eval retrieval {data}/datasets/pandemic"
        f" --system {system} --home {{kept}}/pandemic"
        for system in SYSTEMS
    },
    "pandemic-answers": "eval run {data}/datasets/pandemic/questions.jsonl --home {kept}/pandemic"
    " --report {kept}/pandemic-report",
    "article-mistyped": "eval run {data}/questions/article.jsonl --home {kept}/article"
    " --typos 1 --report {kept}/article-mistyped-report",
    "pandemic-mistyped": "eval run {data}/datasets/pandemic/questions.jsonl"
    " --home {kept}/pandemic --typos 1 --report {kept}/pandemic-mistyped-report",
    "sample-ingest": "ingest knowledge/sample --home {kept}/sample",
    "everyday": "eval run tests/data/lay_questions.jsonl --home {kept}/sample"
    " --report {kept}/everyday-report",
    "kiosk": "eval run tests/data/kiosk_questions.jsonl --home {kept}/sample"
    " --report {kept}/kiosk-report",
    "typos": "eval typos {data}/datasets/typos.jsonl --home {kept}/pandemic",
    "typed-questions": "eval typos tests/data/typed_questions.jsonl --home {kept}/sample",
    "follow-ups": "eval follow-ups {data}/datasets/follow-ups.jsonl",
    **{
        f"laws-{system}": "eval retrieval {data}/datasets/laws"
        f" --system {system} --home {{kept}}/laws"
        for system in SYSTEMS
    },
    "laws-draft": "eval draft --limit 200 --home {kept}/laws --output {kept}/laws-draft.jsonl",
    "laws-answers": "eval run {kept}/laws-draft.jsonl --home {kept}/laws"
    " --report {kept}/laws-report",
}

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, and a result's value in it."""

    head: str
    value: Callable[[Mapping[str, Any]], object]


def _field(*path: str) -> Callable[[Mapping[str, Any]], object]:
    def value(result: Mapping[str, Any]) -> object:
        found: Any = result["printed"]
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    return value


def _columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name.replace("_", " "), _field(*name.split("/"))) for name in names)


_COST = (Column("s", lambda r: r["seconds"]), Column("peak MB", lambda r: r["peak_mb"]))
_RANKING = _columns("ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10", "seconds")
_ANSWERS = _columns(
    "questions", "answer_accuracy", "fact_recall", "span_coverage", "refusal_precision",
    "refusal_recall", "refusal_f1", "refused_answerable", "citation_precision",
    "latency/median", "latency/p95",
)  # fmt: skip
TABLES: Mapping[str, tuple[Sequence[str], Sequence[Column]]] = {
    "answers": (
        (
            *("article", "article-mistyped", "pandemic-answers", "pandemic-mistyped"),
            *("everyday", "kiosk", "laws-answers"),
        ),
        (*_ANSWERS, *_COST),
    ),
    "pandemic": ([f"pandemic-{system}" for system in SYSTEMS], (*_RANKING, *_COST)),
    "laws": ([f"laws-{system}" for system in SYSTEMS], (*_RANKING, *_COST)),
    "typos": (
        ("typos", "typed-questions"),
        (*_columns("sentences", "precision", "recall", "f1", "false_alarms"), *_COST),
    ),
    "follow-ups": (
        ("follow-ups",),
        (*_columns("questions", "answered", "verbatim", "refused"), *_COST),
    ),
}


def measure(name: str, data: Path) -> None:
    """Run a command and keep what it printed, unless that is there already."""
    file = KEPT / f"{name}.json"
    if file.exists():
        return
    command = COMMANDS[name].format(data=data, kept=KEPT)
    print(f"xiaoquan {command}", file=sys.stderr)
    result = run(shlex.split(command))
    file.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")


def run(arguments: Sequence[str]) -> dict[str, Any]:
    """Run the command line; return what it printed with its seconds and peak memory.

    Raises:
        CalledProcessError: It failed; nothing is to be kept.
    """
    started = time.perf_counter()
    command = [sys.executable, "-m", "ui.cli", *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, printed)
    result = json.loads(printed)
    return {
        "printed": result if isinstance(result, dict) else {"rows": len(result)},
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": usage.ru_maxrss // 1024,
    }


def write_tables(page: str, results: Results) -> str:
    """Return the page with its tables made from these results; what was not measured is a dash."""
    return _TABLE.sub(lambda match: match[1] + table(match[2], results) + match[3], page)


def table(name: str, results: Results) -> str:
    """Return one table in Markdown, the commands of its rows below it."""
    rows, columns = TABLES[name]
    lines = [
        "| | " + " | ".join(column.head for column in columns) + " |",
        "|---|" + "---:|" * len(columns),
        *(
            f"| {row} | " + " | ".join(_cell(results.get(row), column) for column in columns) + " |"
            for row in rows
        ),
    ]
    commands = (COMMANDS[row].format(data="../shared", kept=".cache/bench") for row in rows)
    shown = "\n".join(f"xiaoquan {command} --json" for command in commands)
    return "\n".join(lines) + f"\n\n```sh\n{shown}\n```\n"


def _cell(result: Mapping[str, Any] | None, column: Column) -> str:
    value = column.value(result) if result else None
    if value is None:
        return "—"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def kept_results() -> dict[str, Mapping[str, Any]]:
    """Return what was measured so far."""
    files = {name: KEPT / f"{name}.json" for name in COMMANDS}
    return {
        name: json.loads(file.read_text(encoding="utf-8"))
        for name, file in files.items()
        if file.exists()
    }


def main() -> None:
    """Measure what is missing, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--tables", action="store_true", help="only write the tables")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these results")
    given = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        for name in () if given.tables else given.names or COMMANDS:
            measure(name, given.data.absolute())
    finally:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(write_tables(page, kept_results()), encoding="utf-8")


if __name__ == "__main__":
    main()
