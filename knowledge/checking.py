"""Files of strangers, looked at before anything opens them: is it what its name says, how large."""

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from knowledge.errors import UnreadableDocumentError

# Of an Office file, unpacked: a real one of 50 MB stays far below.
LARGEST_UNPACKED = 300_000_000  # bytes
LARGEST_RATIO = 200  # times the packed size; XML packs about ten to one
MOST_PARTS = 5000
_HEAD = 4096  # bytes that tell what a file is
_OFFICE: Mapping[str, str] = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}
_MACROS = re.compile(r"vbaproject|activex|/embeddings/", re.IGNORECASE)
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# What begins like this is no text, whatever it is called.
_BINARY: Mapping[bytes, str] = {
    b"%PDF-": "PDF",
    b"PK\x03\x04": "压缩包",
    b"\x1f\x8b": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"Rar!": "压缩包",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"MZ": "程序",
    b"\x7fELF": "程序",
    b"#!/": "程序脚本",
    b"SQLite format 3": "数据库",
}


def check_file(path: Path, name: str = "") -> None:
    """Refuse a file that is not what its name says, or that would unpack into too much.

    Args:
        path: Where it is.
        name: What the uploader calls it, for the message.

    Raises:
        UnreadableDocumentError: Why, and what to do about it.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    suffix = path.suffix.lower()
    if suffix in _OFFICE:
        reason = _office_problem(path, head)
    elif suffix == ".pdf":
        reason = "" if b"%PDF-" in head[:1024] else "内容不是 PDF。请检查文件"
    else:
        reason = _text_problem(head)
    if reason:
        raise UnreadableDocumentError(f"不能载入 {(name or path.name)!r}：{reason}后再上传。")


def _text_problem(head: bytes) -> str:
    for start, kind in _BINARY.items():
        if head.startswith(start):
            return f"内容是{kind}，不是文本。请检查文件"
    utf_16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return "内容是二进制数据，不是文本。请检查文件" if b"\x00" in head and not utf_16 else ""


def _office_problem(path: Path, head: bytes) -> str:
    if not head.startswith(b"PK\x03\x04"):
        return "内容不是 Office 文档。请另存为 .docx 或 .xlsx"
    try:
        with zipfile.ZipFile(path) as archive:
            return _archive_problem(archive, _OFFICE[path.suffix.lower()])
    # Whatever a broken archive makes zipfile raise.
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError, zlib.error):
        return "文件已损坏，打不开。请另存一份"


def _archive_problem(archive: zipfile.ZipFile, main_part: str) -> str:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    problems = (
        (len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED, "展开后太大。请拆分"),
        (unpacked > 10_000_000 and unpacked > LARGEST_RATIO * packed, "压缩得异常。请另存一份"),
        (any(map(_leaves, names)), "里有指向外面的路径。请用 Office 另存一份"),
        (any(map(_MACROS.search, names)), "带有宏或嵌入的程序。请另存为不带宏的文档"),
        (any(part.flag_bits & 1 for part in parts), "设有密码。请去掉密码"),
        (main_part not in names or len(set(names)) < len(names), "的内容与类型不符。请另存一份"),
    )
    if found := next((words for is_so, words in problems if is_so), ""):
        return f"文件{found}"
    declares = any(_declares(archive, p) for p in parts if p.filename.endswith((".xml", ".rels")))
    return "文件里有 XML 实体声明。请用 Office 另存一份" if declares else ""


def _declares(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Tell whether XML declares entities: Office never does, bombs are made so."""
    with archive.open(part) as file:
        before = b""
        while block := file.read(1 << 20):
            # UTF-16 is the same letters with zeros between them.
            if _DECLARED.search((before + block).replace(b"\x00", b"")):
                return True
            before = block[-32:]
    return False


def _leaves(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name or "\x00" in name
