"""What all commands share: options, one JSON value or lines for people, how they fail.

Nothing heavy is imported here: ``--help`` has to be quick.
"""

import json
import sqlite3
import sys
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Where data lives. Default: XIAOQUAN_HOME, else ~/.local/share/xiaoquan.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON value on stdout and nothing else.")
]


class Command(TyperCommand):
    """A command that ends with a message and status 1, never with a traceback of our errors."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the type is private to typer
        """Run the command; with ``--json`` a failure is ``{"error": …}`` on stdout."""
        as_json = bool(ctx.params.get("as_json"))
        try:
            return super().invoke(ctx)
        except KnowledgeError as error:
            fail(str(error), as_json=as_json)
        except sqlite3.Error as error:
            told = f"资料库读不了：{error}。请运行 xiaoquan doctor 检查。"
            fail(told, as_json=as_json)
        except KeyboardInterrupt:
            fail("已中断。", as_json=as_json)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if not as_json:
                raise
            traceback.print_exc()
            fail(f"程序出错：{error}", as_json=True)


def make_app(help_text: str) -> typer.Typer:
    """Return a Typer application in plain text: rich would cost more than everything else."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def example(*lines: str) -> str:
    """Return the epilog of a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def utf8(text: str) -> str:
    """Refuse an argument that the terminal sent in another encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("这不是 UTF-8 文字。请把终端的编码设为 UTF-8。") from None
    return text


def all_utf8(texts: list[str]) -> list[str]:
    """Refuse arguments of which the terminal sent one in another encoding."""
    return [utf8(text) for text in texts]


def open_base(home: Path | None, *, any_model: bool = False) -> "KnowledgeBase":
    """Open the home that the option or the environment names.

    Raises:
        KnowledgeError: It can't be used.
    """
    from knowledge.base import KnowledgeBase
    from knowledge.settings import load_settings

    return KnowledgeBase(load_settings(home=home), any_model=any_model)


def emit(value: object) -> None:
    """Print one JSON value in UTF-8, whatever the terminal's encoding is."""
    line = json.dumps(value, ensure_ascii=False)
    sys.stdout.flush()
    # A file name that is not UTF-8 holds lone surrogates: escaped, they are JSON all the same.
    sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()


def say(message: str) -> None:
    """Tell the person at the terminal something; stdout stays free for results."""
    print(message, file=sys.stderr, flush=True)


def fail(message: str, *, as_json: bool) -> NoReturn:
    """End with status 1 and a message: on stderr, or as a JSON value."""
    if as_json:
        emit({"error": message})
    else:
        say(message)
    raise typer.Exit(1)


def waiting() -> None:
    """Say that another process is writing."""
    say("另一个任务正在写入这个数据文件夹，正在等它结束……")


def width(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for a wide character."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def clip(text: str, columns: int) -> str:
    """Return the text in at most so many columns, with … where it was cut."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def print_table(rows: Iterable[Sequence[str]], widest: int) -> None:
    """Print aligned columns; no cell is wider than ``widest`` columns of the terminal."""
    cells = [[clip(" ".join(cell.split()), widest) for cell in row] for row in rows]
    columns = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (
            cell + " " * (size - width(cell)) for cell, size in zip(row, columns, strict=True)
        )
        print("  ".join(padded).rstrip())
