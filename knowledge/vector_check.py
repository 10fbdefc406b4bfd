"""Chroma's own files, opened by another process first: a damaged one can end whoever reads it.

    python -m knowledge.vector_check FOLDER

reads all vectors and searches with some of them; says on its output why that can't be done.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from knowledge.errors import HomeError, KnowledgeError

SEARCHES = 100  # from all over: a link to nowhere is noticed where one walks


class VectorCheck:
    """Runs beside; ``end`` waits for it."""

    def __init__(self, folder: Path) -> None:
        """Begin to check the folder of embedded Chroma, where it has written an index yet."""
        self._folder = folder
        self._process = _started(folder) if any(folder.glob("*/index_metadata.pickle")) else None

    def end(self) -> None:
        """Wait until all is read.

        Raises:
            HomeError: The files are damaged.
        """
        if self._process is None:
            return
        said, _ = self._process.communicate()
        status = self._process.returncode
        if not status:
            return
        ended = signal.Signals(-status).name if status < 0 else status
        why = said.strip() or f"读取时程序终止（{ended}）"
        raise HomeError(
            f"向量库 {str(self._folder)!r} 的文件已损坏：{why}。"
            "目录库未受影响；请停下服务，运行 xiaoquan doctor --mend 重建向量。"
        )


def _started(folder: Path) -> "subprocess.Popen[str]":
    root = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "knowledge.vector_check", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
    )


def _main(folder: Path) -> None:
    from knowledge.vectors import VectorIndex

    try:
        index = VectorIndex(folder)
        step = max(1, index.count() // SEARCHES)
        for _, vectors in index.pages():
            for vector in vectors[::step]:
                index.search(vector, 10)
    except KnowledgeError as error:
        print(error.__cause__)
        sys.exit(1)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
