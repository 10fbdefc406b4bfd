"""A home that is killed again and again while it is written: what was confirmed has to be there.

    python -m eval.crash HOME SEED

is the process that is killed: it adds, replaces, removes and backs up at random, and says on its
output what it is about to do and what is done.
"""

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from knowledge.backup import back_up, restore
from knowledge.base import KnowledgeBase
from knowledge.doctor import examine
from knowledge.settings import load_settings
from knowledge.types import Document

DOCUMENTS = 12  # ids that are written again and again
LONGEST = 3.0  # seconds from the first change to the kill
_GONE = 0  # the version of what is not there


def crash(home: Path, times: int, seed: int = 0) -> Iterator[list[str]]:
    """Kill a writing process so many times; yield what was wrong after each."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable test
    known: dict[str, set[int]] = {}
    for turn in range(times):
        events = _killed(home, seed * 1000 + turn, chance.uniform(0, LONGEST))
        _follow(known, events)
        yield _wrong(home, known)


def _killed(home: Path, seed: int, after: float) -> list[dict[str, Any]]:
    """Run a writing process, kill it, and return what it had said."""
    command = [sys.executable, "-m", "eval.crash", str(home), str(seed)]
    lines: list[bytes] = []
    begun = threading.Event()

    def read(stream: IO[bytes]) -> None:
        for line in stream:
            lines.append(line)
            begun.set()

    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        reader = threading.Thread(target=read, args=(process.stdout,))
        reader.start()
        begun.wait(120)
        time.sleep(after)
        process.kill()
        reader.join()
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _follow(known: dict[str, set[int]], events: list[dict[str, Any]]) -> None:
    """Note which versions of a document may be there: one once confirmed, else also the next."""
    for event in events:
        if event["done"]:
            known[event["id"]] = {event["version"]}
        else:
            known.setdefault(event["id"], {_GONE}).add(event["version"])


def _wrong(home: Path, known: dict[str, set[int]]) -> list[str]:
    """Open the home as the next start does, and compare it with what was confirmed."""
    with KnowledgeBase(load_settings(home=home)) as base:
        with base.writing():
            base.finish()
        problems = [f"{f.check}: {f.told}" for f in examine(base) if not f.fine]
        for id_, versions in known.items():
            document = base.document(id_)
            version = int(document.metadata["version"]) if document else _GONE
            if version not in versions:
                problems.append(f"{id_}: version {version}, not one of {sorted(versions)}")
            known[id_] = {version}
            found = {hit.passage.text for hit in base.search(_text(id_, version), 3)}
            if document and not any(_text(id_, version) in text for text in found):
                problems.append(f"{id_}: version {version} is not found")
    return problems + _wrong_backup(home)


def _wrong_backup(home: Path) -> list[str]:
    file = _backup_of(home)
    if not file.exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "home"
        restore(other, file)
        with KnowledgeBase(load_settings(home=other)) as base:
            return [f"backup: {f.check}: {f.told}" for f in examine(base) if not f.fine]


def _backup_of(home: Path) -> Path:
    return home.with_name(home.name + ".tar")


def _text(id_: str, version: int) -> str:
    return f"{id_}的办结时限是第{version}版规定的{version}个工作日。"


def _write(home: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with KnowledgeBase(load_settings(home=home)) as base:
        base.embeddings.encode(["办事"])
        for version in range(seed * 10_000 + 1, seed * 10_000 + 10_000):
            id_ = f"事项{chance.randrange(DOCUMENTS)}"
            what = chance.choices(("add", "remove", "back up"), (6, 3, 1))[0]
            if what == "back up":
                back_up(base, _backup_of(home))
                continue
            removing = what == "remove"
            _say(id_, _GONE if removing else version, done=False)
            if removing:
                base.remove([id_])
            else:
                metadata = {"version": str(version)}
                base.add(Document(id_, id_, _text(id_, version), f"/{id_}", metadata))
            _say(id_, _GONE if removing else version, done=True)


def _say(id_: str, version: int, *, done: bool) -> None:
    print(json.dumps({"id": id_, "version": version, "done": done}), flush=True)


if __name__ == "__main__":
    _write(Path(sys.argv[1]), int(sys.argv[2]))
