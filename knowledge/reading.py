"""A file read in a process of its own, with limits on time and memory: it may be a stranger's.

    python -m knowledge.reading FILE

prints one JSON object a line: a document, or what could not be read.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from knowledge.checking import check_file
from knowledge.errors import UnreadableDocumentError
from knowledge.readers import ReadFailure, read_documents
from knowledge.types import Document

SECONDS = 120
MEMORY = 2 << 30  # bytes of address space; reading the largest real documents takes a quarter
LONGEST = 2_000_000  # characters of one document: three times the longest law with its annexes
MOST = 20_000  # documents of one file
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")


def read_apart(path: Path, seconds: float = SECONDS) -> Iterator[Document | ReadFailure]:
    """Read a file's documents in another process, which knows no secret and can't run away.

    Raises:
        UnreadableDocumentError: It can't be read, or took too long or too much.
    """
    check_file(path)
    command = [sys.executable, "-m", "knowledge.reading", str(path)]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    root = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and a path
            command,
            capture_output=True,
            timeout=seconds,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(path, f"读了 {seconds:g} 秒还没读完。请拆分或另存后再上传") from error
    if done.returncode:
        raise _refused(path, "读取时占用的内存或时间过多。请拆分或另存后再上传")
    for line in done.stdout.splitlines():
        yield _parsed(path, json.loads(line))


def _parsed(path: Path, fields: dict[str, object]) -> Document | ReadFailure:
    if "refused" in fields:
        raise UnreadableDocumentError(str(fields["refused"]))
    if "error" in fields:
        return ReadFailure(**fields)  # type: ignore[arg-type]
    return Document(**fields)  # type: ignore[arg-type]


def _refused(path: Path, reason: str) -> UnreadableDocumentError:
    return UnreadableDocumentError(f"不能载入 {path.name!r}：{reason}。")


def _main(path: Path) -> None:
    _limit()
    try:
        for number, one in enumerate(read_documents(path)):
            if number == MOST:
                raise _refused(path, f"文件里的资料超过 {MOST} 份。请拆分后再上传")
            if isinstance(one, Document) and len(one.text) > LONGEST:
                raise _refused(path, f"文字超过 {LONGEST} 字。请拆分后再上传")
            _print(asdict(one))
    except UnreadableDocumentError as error:
        _print({"refused": str(error).replace(str(path), path.name)})


def _print(fields: dict[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(fields).encode() + b"\n")


def _limit() -> None:
    """Take limits that can't be taken off again."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
