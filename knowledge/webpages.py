"""Web pages (.html) as Markdown: the main content, and what the page says about itself."""

import copy
import re
from dataclasses import dataclass
from typing import Any

from knowledge.facts import parse_date

# Names that Chinese government sites use (政府网站发展指引, 国办发〔2017〕47号), and common ones.
_DATES = ("pubdate", "publishdate", "article:published_time", "firstpublishedtime")
_NO_SOURCE = re.compile("本网|本站|网站|原创|https?:")
_SITE = re.compile("网|政府|门户|频道|平台|委员会|局|厅|公众号")
_BLOCKS = {"p", "div", "li", "tr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "td", "section"}
_UNREAD = ("script", "style", "noscript", "template", "head", "iframe", "svg", "object")
_STRUCK = "//del | //s | //strike | //body//*[contains(@style, 'line-through')]"
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_ROWS = "./tr | ./*[self::tbody or self::thead or self::tfoot]/tr"  # a table's own
_PAGE = 1000  # characters of a cell from which its table lays out a page
_LABEL = 200  # characters up to which a cell can name what several rows of a table are about
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)([^*\n]+?)(?<=\S)\1")


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page's content.

    Attributes:
        text: The main content as Markdown.
        title: Without the site's name; empty if the page has none.
        metadata: ``date`` (ISO 8601) and ``issuer`` as the page's meta tags give them.
    """

    text: str
    title: str
    metadata: dict[str, str]


def read_page(markup: str) -> WebPage:
    """Take a page apart: content with headings, lists and tables; no scripts, no navigation."""
    from lxml import html  # type: ignore[import-untyped]

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    _mend_marks(root)
    for table in root.xpath("//table"):
        if _is_layout(table):
            _unframe(table)
    for table in root.xpath("//table[.//@rowspan]"):
        _repeat_downwards(table)
    metas = _metas(root)
    source = metas.get("contentsource", "")
    given = {
        "date": next((d for name in _DATES if (d := parse_date(metas.get(name, "")))), ""),
        "issuer": "" if _NO_SOURCE.search(source) else source,
    }
    text = _main_content(html.tostring(root, encoding="unicode"), root) or _plain_text(root)
    return WebPage(text, _title(root, metas), {k: v for k, v in given.items() if v})


def _mend_marks(root: Any) -> None:  # noqa: ANN401
    """Take out what is struck out, which no longer counts, and tags that would come out as text."""
    for element in root.xpath(_STRUCK):
        element.drop_tree()
    for element in list(root.iter("ins", "u")):
        element.drop_tag()
    for element in reversed(list(root.iter("sup", "sub"))):  # one can hold another
        words = str(element.text_content())
        element[:] = []
        # Else 10 with a raised 5 would be 105.
        element.text = words.translate(_RAISED) if element.tag == "sup" else words
        element.drop_tag()


def _is_layout(table: Any) -> bool:  # noqa: ANN401
    """Whether a table only lays out a page: around others, in one column, or around a long text."""
    rows = [[cell for cell in row if cell.tag in {"td", "th"}] for row in table.xpath(_ROWS)]
    cells = [cell for row in rows for cell in row]
    if any(cell.tag == "th" for cell in cells):
        return False
    is_column = all(len(row) < 2 for row in rows)
    return is_column or any(
        cell.xpath(".//table")
        or (len(cell.text_content()) > _PAGE and len(cell.xpath(".//p | .//br")) > 2)
        for cell in cells
    )


def _unframe(table: Any) -> None:  # noqa: ANN401
    """Put what a table's cells hold into paragraphs."""
    for row in table.xpath(_ROWS):
        for cell in row.xpath("./td"):
            cell.tag = "div"
            _put_in_paragraphs(cell)
        for element in (row, row.getparent()):
            element.tag = "div"
    table.tag = "div"


def _put_in_paragraphs(element: Any) -> None:  # noqa: ANN401
    """Wrap words that stand bare beside blocks: trafilatura drops tables beside them."""
    children = list(element)
    paragraph = element.makeelement("p")
    paragraph.text, element.text, element[:] = element.text, None, [paragraph]
    for child in children:
        if next(child.iter(*_BLOCKS - {"br"}, "table"), None) is None:
            paragraph.append(child)
            continue
        paragraph = element.makeelement("p")
        paragraph.text, child.tail = child.tail, None
        element.extend([child, paragraph])


def _repeat_downwards(table: Any) -> None:  # noqa: ANN401
    """Give every row what cells merged over several rows say; long ones only lay out a page."""
    below: dict[int, tuple[int, Any]] = {}  # by column: in how many rows, what cell
    for row in table.xpath(_ROWS):
        own = [cell for cell in row if cell.tag in {"td", "th"}]
        row[:] = [child for child in row if child not in own]
        column = 0
        while own or column in below:
            rows, cell = below.pop(column, (0, None))
            if cell is None:
                cell = own.pop(0)
                rows = _span(cell, "rowspan")
            row.append(cell)
            if rows > 1:
                is_label = len(cell.text_content()) <= _LABEL
                empty = cell.makeelement(cell.tag, cell.attrib)
                below[column] = (rows - 1, copy.deepcopy(cell) if is_label else empty)
            column += _span(cell, "colspan")


def _span(cell: Any, name: str) -> int:  # noqa: ANN401
    value = cell.attrib.pop(name, "") if name == "rowspan" else cell.get(name, "")
    return max(1, int(value)) if re.fullmatch("[0-9]{1,3}", value.strip()) else 1


def _metas(root: Any) -> dict[str, str]:  # noqa: ANN401
    metas: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").strip().lower()
        metas.setdefault(name, (meta.get("content") or "").strip())
    return metas


def _title(root: Any, metas: dict[str, str]) -> str:  # noqa: ANN401
    if given := metas.get("articletitle"):
        return given
    whole = _words(root.findtext(".//title") or "")
    headings = [words for h in root.iter("h1") if (words := _words(h.text_content()))]
    if headings and (not whole or len(headings) == 1 or headings[0] in whole):
        return headings[0]
    return _without_site(whole, metas.get("sitename", ""))


def _words(text: str) -> str:
    return " ".join(text.split())


def _without_site(title: str, site: str) -> str:
    """The title without the parts at its end that name the site and its columns."""
    parts = re.split(r"\s*[_|｜]\s*|\s+[-–—]+\s+|\s*-{2,}\s*", title)
    while len(parts) > 1 and (_SITE.search(parts[-1]) or parts[-1] == site or not parts[-1]):
        parts.pop()
    return parts[0] if parts else ""


def _main_content(markup: str, root: Any) -> str:  # noqa: ANN401
    """What trafilatura finds; of the element that holds it all, with headings and lists.

    It knows the article's element by English names, and takes paragraphs and tables alone where
    none of them is there; so the element is looked for by what was found, and read again.
    """
    found = _extracted(markup)
    holder = _holder(root, {_words(line) for line in found.split("\n")} - {""})
    if holder is None:
        return found
    from lxml import html

    inner = html.tostring(holder, encoding="unicode")
    whole = _extracted(f"<html><body><article>{inner}</article></body></html>")
    return max(found, whole, key=len)


def _extracted(markup: str) -> str:
    import trafilatura
    from trafilatura.settings import DEFAULT_CONFIG

    config = copy.deepcopy(DEFAULT_CONFIG)
    # In characters, meant for English: a Chinese notice is whole in far fewer.
    config["DEFAULT"]["MIN_EXTRACTED_SIZE"] = "20"
    found = trafilatura.extract(
        markup,
        output_format="markdown",
        include_comments=False,
        include_formatting=True,
        include_tables=True,
        config=config,
    )
    return _EMPHASIS.sub(r"\2", found or "")


def _holder(root: Any, lines: set[str]) -> Any:  # noqa: ANN401
    """The innermost element that holds all paragraphs that are ``lines``; None below the body."""
    paragraphs = [p for p in root.iter("p") if _words(p.text_content()) in lines]
    above = [[p, *p.iterancestors()][::-1] for p in paragraphs]
    shared = [level[0] for level in zip(*above, strict=False) if all(e is level[0] for e in level)]
    if not shared or shared[-1].tag in {"html", "body", "p"}:
        return None
    return shared[-1]


def _plain_text(root: Any) -> str:  # noqa: ANN401
    for element in list(root.iter(*_UNREAD)):
        element.drop_tree()
    for element in root.iter(*_BLOCKS):
        element.tail = "\n" + (element.tail or "")
    return re.sub(r"[ \t]*\n\s*", "\n", str(root.text_content()))
