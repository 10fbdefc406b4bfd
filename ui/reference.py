"""Writes docs/cli.md, docs/settings.md and the READMEs' answers from what the program says.

    python -m ui.reference

A test holds that all are current.
"""

import io
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from knowledge.base import KnowledgeBase
from knowledge.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
_COLUMNS = 96  # of the help texts, whatever the terminal is
_ASKED = re.compile(r"(?<=^\$ xiaoquan ask )(\S+)\n```\n\n```text\n[^`]*```$", re.MULTILINE)
_FOLDER = re.compile(r"^( +)/.*/", re.MULTILINE)  # of a source, which differs by machine


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command's full name with the command."""
    from typer.main import get_command

    from ui.cli import app

    yield from _below("xiaoquan", get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - private to typer
    yield name, command
    for child, below in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {child}", below)


def cli_page() -> str:
    """Return docs/cli.md: the help of every command."""
    parts = ["# Commands\n\nWritten by `make docs` from the program itself.\n"]
    for name, command in commands():
        context = command.context_class(command, info_name=name, terminal_width=_COLUMNS)
        lines = (line.rstrip() for line in command.get_help(context).strip().splitlines())
        parts.append(f"## {name}\n\n```text\n{chr(10).join(lines)}\n```\n")
    return "\n".join(parts)


def settings_page() -> str:
    """Return docs/settings.md: every setting with its default."""
    rows = [
        f"| `XIAOQUAN_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = (
        "# Settings\n\nWritten by `make docs` from the program itself. Each is a variable of the "
        "environment, read when\na command starts.\n\n| setting | default | what it says |"
        "\n|---|---|---|"
    )
    return "\n".join([head, *rows, ""])


def _default(value: object) -> str:
    shown = str(getattr(value, "get_secret_value", lambda: value)())
    return "" if value is None or not shown else f"`{shown}`"


PAGES = {"cli.md": cli_page, "settings.md": settings_page}


def with_answers(readme: str, home: Path) -> str:
    """Return a README in which each question that is asked is followed by its answer of today."""
    return _ASKED.sub(
        lambda match: f"{match[1]}\n```\n\n```text\n{_asked(match[1], home)}```", readme
    )


def _asked(question: str, home: Path) -> str:
    from ui.cli import ask

    printed = io.StringIO()
    with redirect_stdout(printed):
        ask(shlex.split(question)[0], home)
    return _FOLDER.sub(r"\1…/", printed.getvalue())


def main() -> None:
    """Write them all."""
    from ui.server import load_sample

    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with KnowledgeBase(load_settings(home=home)) as base:
            load_sample(base)
        for file in READMES:
            file.write_text(with_answers(file.read_text("utf-8"), home), encoding="utf-8")


if __name__ == "__main__":
    main()
