"""`xiaoquan keys …`: API keys made, listed and revoked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knowledge.errors import KnowledgeError
from ui.console import Command, Home, Json, emit, example, make_app, print_table, utf8

if TYPE_CHECKING:
    from ui.keys import Key, Keys

WIDEST = 40

app = make_app("API keys: who may ask, search and change documents over HTTP.")


@app.command(
    "make",
    cls=Command,
    epilog=example(
        "xiaoquan keys make 一体机 --scope ask", "xiaoquan keys make 运维 --scope admin"
    ),
)
def make_key(
    name: Annotated[str, typer.Argument(help="Who it is for.", callback=utf8)],
    scopes: Annotated[
        list[str],
        typer.Option("--scope", help="What it allows: ask, search or admin. May be repeated."),
    ] = ["ask", "search"],  # noqa: B006 - typer copies it
    per_minute: Annotated[
        int, typer.Option(min=0, max=10**6, metavar="N", help="Requests a minute; 0: any number.")
    ] = 600,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it: it is shown this once, and only a hash of it is kept."""
    from ui.keys import SCOPES

    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise typer.BadParameter(f"没有权限 {unknown[0]!r}。可以是：{'、'.join(SCOPES)}。")
    with _keys(home) as keys:
        key = keys.make(name, [scope for scope in SCOPES if scope in scopes], per_minute)
    if as_json:
        emit({"key": key})
    else:
        print(key)


@app.command("list", cls=Command, epilog=example("xiaoquan keys list"))
def list_keys(home: Home = None, as_json: Json = False) -> None:
    """List the keys; none of them is shown itself."""
    with _keys(home) as keys:
        rows = [_fields(key) for key in keys.list()]
    if as_json:
        emit(rows)
    else:
        cells = [[_cell(value) for value in row.values()] for row in rows]
        print_table([("编号", "名称", "权限", "每分钟", "创建于", "撤销于"), *cells], WIDEST)


@app.command("revoke", cls=Command, epilog=example("xiaoquan keys revoke 3f2a9c0b"))
def revoke_key(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="As `keys list` shows it.", callback=utf8)
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key worthless from now on, in every server that shares the database."""
    with _keys(home) as keys:
        if not keys.revoke(id_):
            raise KnowledgeError(f"没有编号为 {id_!r} 的有效密钥。请用 xiaoquan keys list 查编号。")
    if as_json:
        emit({"revoked": id_})
    else:
        print(f"已撤销 {id_}。")


@contextmanager
def _keys(home: Path | None) -> "Iterator[Keys]":
    from knowledge.settings import load_settings, make_home
    from ui.keys import Keys

    settings = load_settings(home=home)
    make_home(settings.home)
    keys = Keys(settings)
    try:
        yield keys
    finally:
        keys.close()


def _fields(key: "Key") -> dict[str, str | int | list[str] | None]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "per_minute": key.per_minute,
        "made": _time(key.made),
        "revoked": _time(key.revoked),
    }


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat("T", "seconds")
    )


def _cell(value: str | int | list[str] | None) -> str:
    return " ".join(value) if isinstance(value, list) else str("" if value is None else value)
