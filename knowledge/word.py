"""Word documents (.docx) as Markdown: headings, tables, notes, and numbers that Word counts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.table_heads import parted
from knowledge.tables import markdown_table

# Deleted or moved text, field codes, pronunciation, and what repeats a drawing for older programs.
_NOT_TEXT = {"del", "moveFrom", "instrText", "rt", "Fallback", "pPr", "rPr"}
_REFERENCES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
# Where a note is referred to: no XML holds this control character. The marks before it end what
# the note is on.
_REFERENCE = re.compile("([，。；：！？]*)((?:\0\\w+ -?\\d+\0)+)")
_MARKS = {"br": "\n", "cr": "\n", "tab": " ", "noBreakHyphen": "-", "p": "\n"}
_CHINESE = {
    "chineseCounting",
    "chineseCountingThousand",
    "chineseLegalSimplified",
    "japaneseCounting",
    "taiwaneseCounting",
    "taiwaneseCountingThousand",
    "ideographDigital",
}


def word_text(path: Path) -> str:
    """Read a .docx file's text in the order of the document.

    Headings become ``#`` lines by their style or outline level; numbers that Word counts (一、,
    第一条) are written out, since they are part of what a citizen reads; tables become Markdown;
    footnotes and endnotes stand where they are referred to, or below.
    """
    import docx

    document = docx.Document(str(path))
    styles = {style.style_id: style for style in document.styles}
    numbers = _Numbers(_numbering_root(document))
    notes = _notes(document)
    shift = int(any(_style_name(p, styles) == "title" for p in document.paragraphs))

    def written(parent: Any) -> Iterator[str]:  # noqa: ANN401
        for element in _blocks(parent):
            if _tag(element) == "p":
                yield _paragraph(element, styles, numbers, shift)
            elif max(map(len, rows := _rows(element)), default=0) > 1:
                captions, table = parted(rows)
                yield from captions
                yield markdown_table(table)
            else:  # one column is no table but a frame around text
                for cell in (cell for row in _table_rows(element) for cell in _cells(row)):
                    yield from written(cell)

    blocks = (_with_notes(block, notes) for block in written(document.element.body))
    return "\n\n".join(block for block in blocks if block.strip())


def _notes(document: Any) -> dict[str, str]:  # noqa: ANN401
    """The words of footnotes and endnotes, by how paragraphs refer to them."""
    from docx.oxml import parse_xml

    notes = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind in _REFERENCES.values() and not relation.is_external:
            for note in parse_xml(relation.target_part.blob):
                words = " ".join(_text(note).split())
                notes[f"{kind} {_id(note, 'id')}"] = re.sub("^注[:：]", "", words)
    return notes


def _with_notes(block: str, notes: dict[str, str]) -> str:
    """A block with its notes: those of one sentence where they belong, longer ones below it.

    An amount and the condition in its note are then quoted together. A heading takes none in.
    """
    in_table = block.startswith("|")
    is_sentence = re.search("[，。；：！？]", block)
    below = []

    def put(found: re.Match[str]) -> str:
        inside = ""
        for words in filter(None, map(notes.get, found[2].strip("\0").split("\0\0"))):
            if in_table or (is_sentence and not re.search("[。；！？].", words)):
                inside += f"（注：{words.rstrip('。；')}）"
            else:
                below.append(f"注：{words}")
        return inside.replace("|", r"\|") + found[1]

    return "\n\n".join([_REFERENCE.sub(put, block), *below])


def _tag(element: Any) -> str:  # noqa: ANN401
    name = element.tag
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def _child(element: Any, *names: str) -> Any:  # noqa: ANN401
    for name in names:
        if element is None:
            return None
        element = next((child for child in element if _tag(child) == name), None)
    return element


def _value(element: Any, *names: str) -> str:  # noqa: ANN401
    found = _child(element, *names)
    if found is None:
        return ""
    return next((value for key, value in found.attrib.items() if key.endswith("}val")), "")


def _blocks(parent: Any) -> Iterator[Any]:  # noqa: ANN401
    for element in parent:
        if _tag(element) in {"p", "tbl"}:
            yield element
        elif _tag(element) in {"sdt", "sdtContent", "customXml", "ins"}:
            yield from _blocks(element)


def _text(element: Any) -> str:  # noqa: ANN401
    return "".join(_pieces(element)).strip()


def _pieces(element: Any) -> Iterator[str]:  # noqa: ANN401
    for child in element:
        name = _tag(child)
        if name in _NOT_TEXT or (name == "r" and _is_unread(child)):
            continue
        if name == "t":
            yield child.text or ""
        elif name in _REFERENCES:
            yield f"\0{_REFERENCES[name]} {_id(child, 'id')}\0"
        else:
            yield _MARKS.get(name, "")
            yield from _pieces(child)
            if name == "txbxContent":
                yield "\n"


def _is_unread(run: Any) -> bool:  # noqa: ANN401
    """Whether a run is hidden or struck out, as what no longer counts is."""
    return any(
        _child(run, "rPr", name) is not None
        and _value(run, "rPr", name) not in {"0", "false", "off"}
        for name in ("vanish", "strike", "dstrike")
    )


def _style_chain(paragraph: Any, styles: dict[str, Any]) -> Iterator[Any]:  # noqa: ANN401
    paragraph = getattr(paragraph, "_p", paragraph)
    style = styles.get(_value(paragraph, "pPr", "pStyle"))
    for _ in range(10):  # a style can't be based on itself, but a broken file can say so
        if style is None:
            return
        yield style
        style = getattr(style, "base_style", None)


def _style_name(paragraph: Any, styles: dict[str, Any]) -> str:  # noqa: ANN401
    return next(((style.name or "").lower() for style in _style_chain(paragraph, styles)), "")


def _level(paragraph: Any, styles: dict[str, Any]) -> int:  # noqa: ANN401
    """The heading level, 1 for the highest; 0 for body text."""
    outline = _value(paragraph, "pPr", "outlineLvl")
    for style in _style_chain(paragraph, styles):
        named = re.match(r"(?:heading|标题)\s*([1-9])", (style.name or "").lower())
        if named:
            return int(named[1])
        outline = outline or _value(style.element, "pPr", "outlineLvl")
    return int(outline) + 1 if outline in set("012345678") else 0


def _paragraph(element: Any, styles: dict[str, Any], numbers: "_Numbers", shift: int) -> str:  # noqa: ANN401
    text = _text(element)
    if not text:
        return ""
    text = numbers.label(element, styles) + text
    if _style_name(element, styles) == "title":
        return "# " + " ".join(text.split())
    level = _level(element, styles)
    return "#" * min(level + shift, 6) + " " + " ".join(text.split()) if level else text


def _table_rows(table: Any) -> list[Any]:  # noqa: ANN401
    rows = (child for child in table.iter() if _tag(child) == "tr")
    return [row for row in rows if next(row.iterancestors(table.tag)) is table]


def _rows(table: Any) -> list[list[str]]:  # noqa: ANN401
    rows: list[list[str]] = []
    for row in _table_rows(table):
        rows.append(_row(row, rows[-1] if rows else []))
    return rows


def _cells(row: Any) -> Iterator[Any]:  # noqa: ANN401
    for child in row:
        yield from [child] if _tag(child) == "tc" else (c for c in child.iter() if _tag(c) == "tc")


def _row(row: Any, above: list[str]) -> list[str]:  # noqa: ANN401
    """The cells' text; what a cell merged downwards says, every row of it says."""
    cells = [""] * int(_value(row, "trPr", "gridBefore") or 0)
    for cell in _cells(row):
        merged = _child(cell, "tcPr", "vMerge")
        goes_on = merged is not None and _value(cell, "tcPr", "vMerge") != "restart"
        old = above[len(cells)] if goes_on and len(cells) < len(above) else ""
        cells.append(old or _text(cell))
        cells += [""] * (int(_value(cell, "tcPr", "gridSpan") or 1) - 1)
    return cells


def _numbering_root(document: Any) -> Any:  # noqa: ANN401
    parts = (r.target_part for r in document.part.rels.values() if r.reltype.endswith("/numbering"))
    return next((part.element for part in parts), None)


class _Numbers:
    """Counts as Word does: the numbers of lists stand in no paragraph (ECMA-376, part 1, 17.9)."""

    def __init__(self, root: Any) -> None:  # noqa: ANN401
        elements = [] if root is None else list(root)
        self._lists = {
            _id(e, "numId"): _value(e, "abstractNumId") for e in elements if _tag(e) == "num"
        }
        self._levels = {
            (_id(e, "abstractNumId"), int(_id(level, "ilvl"))): level
            for e in elements
            if _tag(e) == "abstractNum"
            for level in e
            if _tag(level) == "lvl"
        }
        self._restarts = {
            (_id(e, "numId"), int(_id(one, "ilvl"))): int(start)
            for e in elements
            if _tag(e) == "num"
            for one in e
            if _tag(one) == "lvlOverride" and (start := _value(one, "startOverride"))
        }
        self._counts: dict[tuple[str, int], int] = {}

    def label(self, paragraph: Any, styles: dict[str, Any]) -> str:  # noqa: ANN401
        """The number of the next item of the paragraph's list; empty if it is in none."""
        sources = [paragraph, *(style.element for style in _style_chain(paragraph, styles))]
        number = next((n for s in sources if (n := _value(s, "pPr", "numPr", "numId"))), "")
        depth = next((n for s in sources if (n := _value(s, "pPr", "numPr", "ilvl"))), "0")
        key = (self._lists.get(number, ""), int(depth))
        level = self._levels.get(key)
        if (start := self._restarts.pop((number, key[1]), None)) is not None:
            self._counts[key] = start - 1
        return "" if level is None else self._count(*key, level)

    def _count(self, of: str, depth: int, level: Any) -> str:  # noqa: ANN401
        if _value(level, "numFmt") in {"bullet", "none"}:
            return "- " if _value(level, "numFmt") == "bullet" else ""
        start = int(_value(level, "start") or 1)
        self._counts[of, depth] = self._counts.get((of, depth), start - 1) + 1
        for deeper in [k for k in self._counts if k[0] == of and k[1] > depth]:
            del self._counts[deeper]
        pattern = _value(level, "lvlText")
        label = re.sub(r"%([1-9])", lambda m: self._written(of, int(m[1]) - 1), pattern)
        return label if label.endswith(("、", "）", "．")) else label + " "

    def _written(self, of: str, depth: int) -> str:
        count = self._counts.get((of, depth), 1)
        style = _value(self._levels.get((of, depth)), "numFmt")
        if style in _CHINESE:
            return chinese_number(count)
        if style in {"lowerLetter", "upperLetter"}:
            letter = chr(ord("a") + (count - 1) % 26)
            return letter if style == "lowerLetter" else letter.upper()
        circled = style.startswith("decimalEnclosedCircle") and 1 <= count <= 20
        return chr(ord("①") + count - 1) if circled else str(count)


def _id(element: Any, name: str) -> str:  # noqa: ANN401
    return next((v for key, v in element.attrib.items() if key.endswith("}" + name)), "0")


def chinese_number(number: int) -> str:
    """Write 1 to 9999 in Chinese numerals, as in 第一百零八条."""
    digits = "零一二三四五六七八九"
    words = "".join(
        digits[int(d)] + ("" if d == "0" else "千百十"[i : i + 1])
        for i, d in enumerate(f"{number:04}")
    )
    words = re.sub("零+", "零", words).strip("零")
    return words.removeprefix("一") if words.startswith("一十") else words
