"""What is asked most: the large buttons of a terminal, and what a microphone may expect to hear."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup

from knowledge.errors import HomeError
from knowledge.plaintext import decode
from ui.conversing import Desk

TILES = "kiosk.txt"  # in the home, one a line: what stands on the tile | what it asks
MOST = 8
_ALWAYS = (
    "不动产登记证明|不动产登记信息怎么查询、证明怎么开",
    "公积金缴存证明|公积金缴存证明怎么查、怎么打印",
    "医保参保信息|医保参保信息怎么查",
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One large button: its words as HTML with their sounds, and the question that it asks."""

    name: Markup
    question: str


def asked_most(desk: Desk) -> str:
    """Return the operator's lines; else what is asked everywhere, and what documents answer.

    Raises:
        HomeError: The operator's file is no text.
    """
    file = desk.base.home / TILES
    if file.exists():
        try:
            return decode(file.read_bytes())
        except ValueError as error:
            raise HomeError(f"读不了 {TILES!r}：{error}。请存成 UTF-8 编码的文本。") from error
    return "\n".join([*_ALWAYS, *desk.suggester.to_start()][:MOST])


def tiles(text: str) -> Iterator[Tile]:
    """Yield the tiles that a text lists."""
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, question = line.partition("|")
        yield Tile(with_sounds(name.strip()), question.strip() or name.strip())


def with_sounds(text: str) -> Markup:
    """Return a text as HTML with the pinyin above each character."""
    from pypinyin import pinyin

    sounds = pinyin(text, errors=_apart)
    drawn = (
        escape(character) if sound == character else f"<ruby>{character}<rt>{sound}</rt></ruby>"
        for character, (sound, *_) in zip(text, sounds, strict=True)
    )
    return Markup("".join(drawn))  # noqa: S704


def _apart(text: str) -> Any:  # noqa: ANN401
    """Return what has no pinyin character by character: a list is taken, though not declared."""
    return list(text)
