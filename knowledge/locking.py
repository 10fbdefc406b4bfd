"""One process at a time writes a home."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.errors import HomeError


@contextmanager
def writing(home: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keep every other process from writing a home.

    Args:
        home: The folder, which is there.
        waiting: Called once if another is writing and has to be waited for.

    Raises:
        HomeError: The home can't be written.
    """
    lock = FileLock(home / "writing.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    except OSError as error:
        raise HomeError(
            f"写不进数据文件夹 {str(home)!r}：{error.strerror}。请检查写权限和磁盘空间。"
        ) from error
    try:
        yield
    finally:
        lock.release()
