"""Pages of a PDF as text, without what stands on every page: numbers, running heads and feet.

Pure functions on text.
"""

import itertools
import re
from collections import Counter

_PAGE_NUMBER = re.compile(
    r"[-—–·\s]*(?:第\s*)?(\d{1,4})\s*页?(?:\s*[/／共]\s*\d{1,4}\s*页?)?[-—–·\s]*"
)
_EDGE = 2  # lines at a page's beginning and end that a browser prints on it
_PRINTED_ADDRESS = re.compile(r"(?:https?|file)://\S+\s+\d{1,4}\s*[/／]\s*\d{1,4}")
_PRINTED_TIME = re.compile(
    r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?[,，]?\s*(?:上午|下午)?\s*\d{1,2}:\d{2}"
)
_PAGE_MARK = re.compile(r"第|页|^[-—–·].*[-—–·]$")


def without_running_lines(pages: list[str]) -> list[str]:
    """The pages without page numbers, and without first and last lines that most pages repeat.

    A line that is nothing but a number can be a table's last amount. It is a page's number where
    it says so (第3页, - 3 -), or where the page before or behind counts on from it.
    """
    split = [_not_printed([line for line in page.splitlines() if line.strip()]) for page in pages]
    for end in (0, -1):
        # The number stands outside or inside of what is repeated.
        for running in (_page_numbers, _repeated, _page_numbers):
            edges = [lines[end].strip() if lines else "" for lines in split]
            for page in running(edges):
                split[page].pop(end)
    return ["\n".join(lines) for lines in split]


def _not_printed(lines: list[str]) -> list[str]:
    """A page without what a browser prints on it: the page's address and number, time and title.

    Only where an address with a number shows that a browser did: times stand in texts, too.
    """
    edges = [n for n in range(len(lines)) if n < _EDGE or n >= len(lines) - _EDGE]
    addresses = {n for n in edges if _PRINTED_ADDRESS.fullmatch(lines[n].strip())}
    times = {n for n in edges if _PRINTED_TIME.match(lines[n].strip())} if addresses else set()
    return [line for n, line in enumerate(lines) if n not in addresses | times]


def _page_numbers(edges: list[str]) -> set[int]:
    """Which pages begin, or end, with their number."""
    found = [_PAGE_NUMBER.fullmatch(edge) for edge in edges]
    numbers = [int(match[1]) if match else None for match in found]
    marked = {n for n, match in enumerate(found) if match and _PAGE_MARK.search(match[0])}
    if numbers == [1]:
        return {0}
    pairs = enumerate(itertools.pairwise(numbers))
    return marked | {
        n for page, (a, b) in pairs if a is not None and b == a + 1 for n in (page, page + 1)
    }


def _repeated(edges: list[str]) -> set[int]:
    """Which pages begin, or end, with what most pages do, be it with the page's number in it."""
    keys = [_keys(edge, page) for page, edge in enumerate(edges)]
    counts = Counter(itertools.chain.from_iterable(keys))
    most = {key for key, count in counts.items() if len(edges) > 2 and count > len(edges) / 2}
    return {page for page, of_page in enumerate(keys) if of_page & most}


def _keys(line: str, page: int) -> set[str]:
    """The line, and the line with each of its numbers told by its distance from the page's."""
    if not line or line.isdigit():  # the same amount can end page after page
        return set()
    return {line} | {
        f"{line[: found.start()]}#{int(found[0]) - page}{line[found.end() :]}"
        for found in re.finditer(r"\d+", line)
    }
