"""A home checked: catalogue, vectors and keywords against each other, the model, the disk."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from knowledge.base import KnowledgeBase
from knowledge.errors import HomeError, KnowledgeError
from knowledge.vector_check import VectorCheck

LEAST_FREE = 1 << 30  # bytes: what a day of changes and a backup may take
_NOTHING = "无法自动修复，请用 xiaoquan restore 恢复最近的备份。"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found.

    Attributes:
        check: Its name.
        fine: Whether all is well, after mending where that was asked for.
        told: What was found, in Chinese.
    """

    check: str
    fine: bool
    told: str


def examine(base: KnowledgeBase, *, mend: bool = False) -> Iterator[Finding]:
    """Check a home; with ``mend`` set right what can be set right. A failed check ends no other."""
    unsafe: frozenset[str] = frozenset()
    for name, check in _CHECKS.items():
        if name in unsafe:
            continue
        try:
            finding = check(base, mend)
            if name == "vector files" and not finding.fine:
                unsafe = _OPENS_VECTORS
            yield finding
        except sqlite3.Error as error:
            yield Finding(name, fine=False, told=f"目录库读不了：{error}。{_NOTHING}")
        except (KnowledgeError, OSError, ValueError) as error:
            yield Finding(name, fine=False, told=str(error))


def _catalogue(base: KnowledgeBase, _mend: bool) -> Finding:
    documents, passages = base.catalogue.count()
    if problems := base.catalogue.problems():
        return Finding("catalogue", fine=False, told=f"{problems[0]}。{_NOTHING}")
    if damaged := base.catalogue.damaged():
        told = f"{len(damaged)} 篇资料的内容已损坏，例如 {damaged[0]!r}。{_NOTHING}"
        return Finding("catalogue", fine=False, told=told)
    return Finding("catalogue", fine=True, told=f"{documents} 篇资料，{passages} 个段落")


def _vector_files(base: KnowledgeBase, mend: bool) -> Finding:
    """Look before anything opens them in this process, which might not survive it."""
    name = "vector files"
    try:
        VectorCheck(base.home / "chroma").end()
    except HomeError as error:
        if not mend:
            return Finding(name, fine=False, told=str(error))
        base.discard_vectors()
        embedded, _ = base.mend_vectors()
        return Finding(name, fine=True, told=f"已损坏，已重建全部 {embedded} 个向量")
    return Finding(name, fine=True, told="完好")


def _unfinished(base: KnowledgeBase, mend: bool) -> Finding:
    if not (base.catalogue.has_staged() or base.catalogue.retired()):
        return Finding("unfinished", fine=True, told="没有未完成的写入")
    if not mend:
        told = "有未完成的写入（可能正在载入）；下一次载入会完成它"
        return Finding("unfinished", fine=False, told=told)
    with base.writing():
        base.finish()
    return Finding("unfinished", fine=True, told="已完成上次未完成的写入")


def _vectors(base: KnowledgeBase, mend: bool) -> Finding:
    missing, extra = map(len, base.unlike_vectors())
    told = f"缺少或损坏 {missing} 个向量，多 {extra} 个"
    if not missing and not extra:
        return Finding("vectors", fine=True, told="与目录一致")
    if mend:
        base.mend_vectors()
        return Finding("vectors", fine=True, told=f"{told}，已补齐")
    return Finding("vectors", fine=False, told=told)


def _keywords(base: KnowledgeBase, mend: bool) -> Finding:
    if base.catalogue.keywords_fit():
        return Finding("keywords", fine=True, told="与目录一致")
    if mend:
        with base.writing():
            base.catalogue.rebuild_keywords()
        return Finding("keywords", fine=True, told="与目录不一致，已重建")
    return Finding("keywords", fine=False, told="与目录不一致")


def _conversations(base: KnowledgeBase, _mend: bool) -> Finding:
    name, file = "conversations", base.home / "history.sqlite3"
    if not file.exists():
        return Finding(name, fine=True, told="不在这个文件夹里，或还没有")
    try:
        with closing(sqlite3.connect(file)) as connection:
            problem = connection.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        problem = str(error)
    told = "完好" if problem == "ok" else f"对话库读不了：{problem}。{_NOTHING}"
    return Finding(name, fine=problem == "ok", told=told)


def _model(base: KnowledgeBase, _mend: bool) -> Finding:
    dimensions = base.embeddings.encode(["办事"]).shape[1]
    return Finding("model", fine=True, told=f"{base.settings.embedding_model}，{dimensions} 维")


def _disk(base: KnowledgeBase, _mend: bool) -> Finding:
    free = shutil.disk_usage(base.home).free
    with base.writing():  # fails where the home can't be written
        pass
    told = f"剩余 {free / 1e9:.1f} GB" + ("" if free >= LEAST_FREE else "，请清理磁盘")
    return Finding("disk", fine=free >= LEAST_FREE, told=told)


_CHECKS: dict[str, Callable[[KnowledgeBase, bool], Finding]] = {
    "catalogue": _catalogue,
    "vector files": _vector_files,
    "unfinished": _unfinished,
    "vectors": _vectors,
    "keywords": _keywords,
    "conversations": _conversations,
    "model": _model,
    "disk": _disk,
}
_OPENS_VECTORS = frozenset({"unfinished", "vectors"})
