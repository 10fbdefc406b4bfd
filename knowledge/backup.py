"""A home in one file, taken and put back while it is used; checksums tell whether it is whole.

Nobody writes documents meanwhile, everybody reads. What lies on servers (Chroma, PostgreSQL) is
theirs to save: vectors can be made again from the catalogue by ``xiaoquan doctor --mend``.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from knowledge.base import KnowledgeBase
from knowledge.catalogue import RESTORED, Catalogue
from knowledge.errors import HomeError, KnowledgeError
from knowledge.locking import writing
from knowledge.synonyms import OWN

FORMAT = 1
_MANIFEST = "manifest.json"
_CATALOGUE = "catalogue.sqlite3"
_DATABASES = (_CATALOGUE, "history.sqlite3")
_VECTORS = "chroma"
_TEXTS = (OWN, "kiosk.txt")  # what operators write by hand
_REPORTS = "reports"


class BackupError(KnowledgeError):
    """The file is no backup, not whole, or of a newer format."""


def back_up(base: KnowledgeBase, file: Path, waiting: Callable[[], None] = lambda: None) -> int:
    """Write a home into a file; return its size in bytes. The file is there whole, or not at all.

    Raises:
        HomeError: The home can't be read, or the file not written.
    """
    try:
        with _folder_in(file.absolute().parent) as folder:
            with base.writing(waiting):
                base.finish()
                _copy(base.home, folder)
            _write_manifest(folder)
            partial = folder.parent / f"{folder.name}.tar"
            try:
                with tarfile.open(partial, "w") as archive:
                    archive.add(folder, ".")
                os.replace(partial, file)
            finally:
                partial.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise HomeError(
            f"备份没有写成 {str(file)!r}：{error}。请检查磁盘空间和写权限，换个位置再试。"
        ) from error
    return file.stat().st_size


def restore(home: Path, file: Path, waiting: Callable[[], None] = lambda: None) -> None:
    """Put what a file holds in the place of a home's content, whatever state that is in.

    Of what operators write by hand and of the reports, what the file does not hold stays.

    Servers that run notice, except where the catalogue was damaged so much that its file had to be
    replaced: start them anew then.

    Raises:
        BackupError: The file can't be used; the home is as it was.
        HomeError: The home can't be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _folder_in(home) as folder:  # all that can be written where home is a volume
            _unpack(file, folder)
            _check(file, folder)
            with writing(home, waiting):
                _put_back(home, folder)
    except (OSError, sqlite3.Error) as error:
        raise HomeError(
            f"没有恢复成 {str(home)!r}：{error}。请检查磁盘空间和写权限后再恢复一次。"
        ) from error


@contextmanager
def _folder_in(place: Path) -> Iterator[Path]:
    """A folder on the disk where its content will be moved to, so that moving it is one step."""
    with tempfile.TemporaryDirectory(prefix=".xiaoquan-", dir=place) as name:
        yield Path(name)


def _copy(home: Path, folder: Path) -> None:
    for name in _DATABASES:
        if (home / name).exists():
            _copy_database(home / name, folder / name)
    if (home / _VECTORS).is_dir():
        shutil.copytree(
            home / _VECTORS, folder / _VECTORS, ignore=shutil.ignore_patterns("*.sqlite3*")
        )
        for database in (home / _VECTORS).glob("*.sqlite3"):
            _copy_database(database, folder / _VECTORS / database.name)
    for other in _other_files(home):
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # a report that was just taken away
            shutil.copy2(home / other, folder / other)


def _other_files(home: Path) -> list[Path]:
    paths = [*map(home.joinpath, _TEXTS), *(home / _REPORTS).rglob("*")]
    return [path.relative_to(home) for path in paths if path.is_file()]


def _copy_database(source: Path, target: Path) -> None:
    """Copy one state of a database, whoever writes it: https://www.sqlite.org/backup.html."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _write_manifest(folder: Path) -> None:
    files = {str(path.relative_to(folder)): _checksum(path) for path in _files(folder)}
    manifest = {"format": FORMAT, "made": int(time.time()), "files": files}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _MANIFEST)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                _take_out(archive, member, folder)
    except (OSError, tarfile.TarError) as error:
        raise BackupError(f"打不开备份 {str(file)!r}：{error}。请换一份备份。") from error


def _take_out(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file or folder; ``extractall`` has a filter for this from Python 3.11.4 on only."""
    root = Path(os.path.abspath(folder))
    path = Path(os.path.abspath(root / member.name))
    if not path.is_relative_to(root) or not (member.isfile() or member.isdir()):
        raise tarfile.TarError(f"{member.name!r} 不是备份里该有的")
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    assert content  # that of a file
    with content, path.open("wb") as out:
        shutil.copyfileobj(content, out)


def _check(file: Path, folder: Path) -> None:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        files, format_ = dict(manifest["files"]), int(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{str(file)!r} 不是小泉的备份。请换一份备份。") from error
    if format_ > FORMAT:
        raise BackupError(f"备份 {str(file)!r} 来自更新的版本。请升级程序后再恢复。")
    found = {str(path.relative_to(folder)): _checksum(path) for path in _files(folder)}
    if found != files or _CATALOGUE not in files:
        raise BackupError(f"备份 {str(file)!r} 已损坏：校验和不符。请换一份备份。")


def _put_back(home: Path, folder: Path) -> None:
    with closing(Catalogue(folder / _CATALOGUE)) as catalogue:  # also brings it up to date
        # Higher than any that another process has seen, so that it opens the vectors anew.
        newest = max(_version(home / _CATALOGUE), catalogue.version())
        catalogue.set_fact("version", str(newest + 1))
        catalogue.set_fact(RESTORED, uuid.uuid4().hex)
    if (folder / _VECTORS).is_dir():
        old = folder / "old"
        if (home / _VECTORS).exists():
            os.replace(home / _VECTORS, old)
        os.replace(folder / _VECTORS, home / _VECTORS)
    for name in _DATABASES:
        if (folder / name).exists():
            _overwrite(home / name, folder / name)
    for other in _other_files(folder):
        (home / other).parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder / other, home / other)


def _version(catalogue: Path) -> int:
    """Return a catalogue's version; of one that can't be read, more than it can have reached."""
    if not catalogue.exists():
        return 0
    try:
        with closing(sqlite3.connect(catalogue)) as connection:
            query = "SELECT value FROM facts WHERE name = 'version'"
            return int(connection.execute(query).fetchone()[0])
    except (sqlite3.Error, TypeError, ValueError):
        return int(time.time())


def _overwrite(target: Path, source: Path) -> None:
    """Write a database over another in one transaction; over what is none any more, as a file."""
    try:
        _copy_database(source, target)
        return
    except sqlite3.OperationalError:  # full, locked, read-only
        raise
    except sqlite3.DatabaseError:
        for rest in ("-wal", "-shm"):
            target.with_name(target.name + rest).unlink(missing_ok=True)
    os.replace(source, target)
