"""`xiaoquan eval load` and `eval crash`: does it hold under load, and under kill -9."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from knowledge.errors import KnowledgeError
from ui.console import Command, Json, emit, example, make_app, print_table, say

app = make_app("Does it hold.")


@app.command(
    cls=Command,
    epilog=example("xiaoquan eval load questions.jsonl --url http://127.0.0.1:7860 --seconds 300"),
)
def load(  # noqa: PLR0913, PLR0917 - one parameter an option
    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="Question set.")],
    url: Annotated[str, typer.Option(help="A server that runs.")] = "http://127.0.0.1:7860",
    terminals: Annotated[int, typer.Option(min=1, max=2000, help="How many ask.")] = 184,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two questions.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 60,
    bursts: Annotated[
        int, typer.Option(min=0, help="Instead: all at the same instant, so many times.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Ask as many terminals do, over HTTP; status 1 if a question was lost or failed."""
    from eval.load import burst, pace
    from eval.questions import load_questions

    asked = [question.question for question in load_questions(questions)]
    if bursts:
        summary = asyncio.run(burst(url, asked, terminals, bursts))
    else:
        summary = asyncio.run(pace(url, asked, terminals, every, seconds))
    if as_json:
        emit(summary)
    else:
        print_table([(name, str(value)) for name, value in summary.items()], 40)
    if summary["error"] or summary["lost"] or not summary["answered"]:
        raise typer.Exit(1)


@app.command(cls=Command, epilog=example("xiaoquan eval crash --times 100"))
def crash(
    times: Annotated[int, typer.Option(min=1, help="How often it is killed.")] = 20,
    seed: Annotated[int, typer.Option(help="Another one kills at other moments.")] = 0,
    as_json: Json = False,
) -> None:
    """Kill a process that writes a throw-away home at random moments; check what it leaves."""
    from eval.crash import crash as run

    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for turn, wrong in enumerate(run(Path(folder) / "home", times, seed), start=1):
            problems += [f"{turn}: {problem}" for problem in wrong]
            say(f"{turn}/{times}：{'；'.join(wrong) or '完好'}")
    if as_json:
        emit({"times": times, "problems": problems})
    if problems and not as_json:
        raise KnowledgeError(f"{times} 次中断后发现 {len(problems)} 个问题，见上面各行。")
    if problems:
        raise typer.Exit(1)
