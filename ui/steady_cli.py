"""`xiaoquan eval load`, `soak` and `crash`: does it hold under load, for long, under kill -9."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knowledge.errors import KnowledgeError
from ui.console import Command, Json, emit, example, make_app, print_table, say

if TYPE_CHECKING:
    from httpx import AsyncClient

app = make_app("Does it hold.")


Questions = Annotated[Path, typer.Argument(metavar="QUESTIONS", help="Question set.")]
Url = Annotated[str, typer.Option(help="A server that runs.")]
Terminals = Annotated[int, typer.Option(min=1, max=2000, help="How many ask.")]
Every = Annotated[float, typer.Option(min=0.1, help="Seconds between two questions of one.")]
Seconds = Annotated[float, typer.Option(min=1, help="How long.")]
LOCAL = "http://127.0.0.1:7860"


@app.command(
    cls=Command,
    epilog=example("xiaoquan eval load questions.jsonl --url http://127.0.0.1:7860 --seconds 300"),
)
def load(  # noqa: PLR0913, PLR0917 - one parameter an option
    questions: Questions,
    url: Url = LOCAL,
    terminals: Terminals = 184,
    every: Every = 10,
    seconds: Seconds = 60,
    bursts: Annotated[
        int, typer.Option(min=0, help="Instead: all at the same instant, so many times.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Ask as many terminals do, over HTTP; status 1 if a question was lost or failed.

    With XIAOQUAN_ADMIN_PASSWORD set as it is for the server, its memory is told too.
    """
    from eval.load import burst, pace

    asked = _asked(questions)

    def run(client: "AsyncClient") -> Coroutine[None, None, dict[str, Any]]:
        if bursts:
            return burst(client, asked, terminals, bursts)
        return pace(client, asked, terminals, every, seconds)

    summary = _run(url, terminals, run)
    _show(summary, as_json=as_json)
    if summary["error"] or summary["lost"] or not summary["answered"]:
        raise typer.Exit(1)


@app.command(cls=Command, epilog=example("xiaoquan eval soak questions.jsonl --seconds 1800"))
def soak(  # noqa: PLR0913, PLR0917 - one parameter an option
    questions: Questions,
    url: Url = LOCAL,
    terminals: Terminals = 184,
    every: Every = 20,
    seconds: Seconds = 1800,
    as_json: Json = False,
) -> None:
    """Ask at a pace while a document is replaced every second; ten of its own, removed at the end.

    Needs XIAOQUAN_ADMIN_PASSWORD as it is set for the server. Status 1 if a question was lost or
    failed, an answer was of an old version after two seconds, or memory grew by more than 5%.
    """
    from eval.soak import LARGEST_GROWTH
    from eval.soak import soak as run

    asked = _asked(questions)
    summary = _run(url, terminals, lambda client: run(client, asked, terminals, every, seconds))
    _show(summary, as_json=as_json)
    failed = ("error", "lost", "stale", "not replaced")
    grown = (summary["memory growth, %"] or 0.0) > LARGEST_GROWTH
    if grown or not summary["answered"] or any(summary[name] for name in failed):
        raise typer.Exit(1)


def _asked(questions: Path) -> list[str]:
    from eval.questions import load_questions

    return [question.question for question in load_questions(questions)]


def _run(
    url: str,
    terminals: int,
    run: "Callable[[AsyncClient], Coroutine[None, None, dict[str, Any]]]",
) -> dict[str, Any]:
    import httpx

    from eval.load import connect
    from knowledge.settings import load_settings

    async def connected() -> dict[str, Any]:
        password = load_settings().admin_password.get_secret_value()
        async with connect(url, terminals, password) as client:
            await client.get("/healthz")  # fails where nobody listens
            return await run(client)

    try:
        return asyncio.run(connected())
    except httpx.TransportError as error:
        raise KnowledgeError(
            f"连不上 {url!r}：{error}。请先运行 xiaoquan serve，或用 --url 指明地址。"
        ) from error


def _show(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(summary)
    else:
        print_table([(name, str(value)) for name, value in summary.items()], 40)


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
