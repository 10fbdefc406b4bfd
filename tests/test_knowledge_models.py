"""Where the embedding model comes from: a folder, a mirror of the hub, Maven, or a clear no."""

import http.server
import os
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from knowledge.base import KnowledgeBase
from knowledge.embedding import load_embeddings
from knowledge.errors import ModelMismatchError, ModelUnavailableError
from knowledge.models import FILES, HUB_REPOSITORY, default_folder, default_model
from knowledge.settings import load_settings
from knowledge.types import Document

NOBODY = "http://127.0.0.1:1"  # a closed network: nothing listens there
GUIDE = Document("d", "青湖公园停车办法", "停车首小时免费，之后每小时收费3元。", "d")


@pytest.fixture(scope="session")
def model():
    return default_model(load_settings().model_cache)


@pytest.fixture
def named(model, tmp_path):
    """A folder of the user's own with the default model's files."""
    folder = tmp_path / "我的模型"
    shutil.copytree(model, folder)
    return folder


# -- a folder that the user names


def test_the_users_folder_is_read_with_where_it_holds_the_default_model(named, tmp_path):
    settings = load_settings(embedding_model=str(named), model_cache=tmp_path / "empty")
    assert default_folder(settings) == named


def test_the_default_model_reads_beside_any_other(model):
    assert default_folder(load_settings(embedding_model="another/model")) == model


def test_a_folder_with_the_two_files_runs_without_torch(named):
    vectors = load_embeddings(load_settings(embedding_model=str(named))).encode([GUIDE.text])
    assert np.array_equal(load_embeddings(load_settings()).encode([GUIDE.text]), vectors)
    assert "sentence_transformers" not in sys.modules


def test_the_default_model_is_the_same_model_wherever_it_lies(named, tmp_path):
    home = tmp_path / "home"
    with KnowledgeBase(load_settings(home=home)) as base:
        base.add(GUIDE)
    with KnowledgeBase(load_settings(home=home, embedding_model=str(named))) as base:
        assert base.search("停车收费")[0].document.id == "d"


def test_another_model_in_a_folder_is_another_model(named, tmp_path):
    home = tmp_path / "home"
    with KnowledgeBase(load_settings(home=home)) as base:
        base.add(GUIDE)
    (named / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelMismatchError, match="xiaoquan rebuild"):
        KnowledgeBase(load_settings(home=home, embedding_model=str(named)))


def test_a_folder_without_a_model_says_what_belongs_there(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ModelUnavailableError, match=r"model\.onnx.*tokenizer\.json"):
            load_embeddings(load_settings(embedding_model=str(folder)))


@pytest.mark.parametrize("name", [file.name for file in FILES])
def test_a_damaged_file_is_said_to_be_damaged(named, name):
    (named / name).write_bytes(b"not a model")
    with pytest.raises(ModelUnavailableError, match="损坏"):
        load_embeddings(load_settings(embedding_model=str(named)))


# -- fetched, in a process of its own: the hub's address is read when its library is imported


def fetch(cache, endpoint, path=""):
    code = (
        "import sys\nfrom pathlib import Path\nfrom knowledge.errors import KnowledgeError\n"
        "from knowledge.models import default_model\n"
        "try:\n    print(default_model(Path(sys.argv[1])))\n"
        "except KnowledgeError as error:\n    sys.exit(str(error))"
    )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(cache.parent / "hub"),
        "PATH": str(path),
        "no_proxy": "127.0.0.1",
    }
    return subprocess.run(
        [sys.executable, "-c", code, cache],
        env=environment,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def mirror():
    """A mirror of the hub; put what it has into the dictionary that comes with its address."""
    files = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.send_header("ETag", f'"{len(content or b"")}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", files
        server.shutdown()


def on_hub(file):
    return f"/{HUB_REPOSITORY}/resolve/main/{file.on_hub}"


def test_a_mirror_of_the_hub_is_used(mirror, model, tmp_path):
    address, files = mirror
    files |= {on_hub(file): (model / file.name).read_bytes() for file in FILES}
    done = fetch(tmp_path / "cache", address)
    assert done.returncode == 0, done.stderr
    assert "Hugging Face" in done.stderr
    assert sorted(os.listdir(done.stdout.strip())) == ["model.onnx", "tokenizer.json"]


def test_it_comes_from_the_hub_where_only_the_cache_of_models_can_be_written(
    mirror, model, tmp_path
):
    address, files = mirror
    files |= {on_hub(file): (model / file.name).read_bytes() for file in FILES}
    (tmp_path / "hub").mkdir()
    for name in ("hub", "xet"):
        (tmp_path / "hub" / name).touch()  # no folder of the library's can be made
    done = fetch(tmp_path / "cache", address)
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path / "cache")) == ["bge-small-zh-v1.5"]


def test_what_has_another_checksum_is_not_taken(mirror, model, tmp_path):
    address, files = mirror
    files |= {on_hub(file): b"something else" for file in FILES}
    done = fetch(tmp_path / "cache", address)
    assert done.returncode == 1
    assert "校验和不符" in done.stderr
    assert os.listdir(tmp_path / "cache") == []


@pytest.fixture
def maven(model, tmp_path):
    """A folder with a command mvn that copies the artifact as Maven would, from this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    jar = folder / "artifact.jar"
    with zipfile.ZipFile(jar, "w") as packed:
        for file in FILES:
            packed.write(model / file.name, file.in_jar)
    command = folder / "mvn"
    command.write_text(
        f"#!{sys.executable}\nimport shutil, sys\n"
        "(to,) = [a.split('=')[1] for a in sys.argv if a.startswith('-DoutputDirectory=')]\n"
        f"shutil.copy({str(jar)!r}, to)\nprint('copied')\n"
    )
    command.chmod(command.stat().st_mode | stat.S_IEXEC)
    return folder


def test_without_a_hub_maven_brings_it_at_once_and_quietly(maven, tmp_path):
    done = fetch(tmp_path / "cache", NOBODY, maven)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "cache/bge-small-zh-v1.5")
    assert "Retry" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.index("Hugging Face") < done.stderr.index("Maven")


def test_without_any_way_each_is_named_with_its_reason_and_what_to_do(tmp_path):
    done = fetch(tmp_path / "cache", NOBODY)
    assert done.returncode == 1
    for words in ("Hugging Face", "Maven", "'mvn'", "HF_ENDPOINT", str(tmp_path / "cache")):
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path / "cache") == []
