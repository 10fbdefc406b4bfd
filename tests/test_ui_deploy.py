"""The files of deploy/: read by the programs that they are for, where those are here."""

import re
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
import yaml
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tenacity import retry, stop_after_delay, wait_fixed

from knowledge.settings import Settings
from tests.browsing import Told
from ui.access import needed

DEPLOY = Path(__file__).parents[1] / "deploy"
ROOT = DEPLOY.parent


def text(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program} here")


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "xiaoquan.service", "nginx.conf"])
def test_every_setting_named_exists(name):
    settings = {f"XIAOQUAN_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"\bXIAOQUAN_[A-Z_]+", text(name))) <= settings | {"XIAOQUAN_PROXY"}


def test_the_image_holds_all_packages_and_runs_as_nobody_in_particular():
    lines = text("Dockerfile").replace("\\\n", "").splitlines()
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= copied
    assert all((ROOT / one).exists() for one in copied if not one.startswith(("-", "/")))
    assert next(line for line in lines if line.startswith(("USER", "CMD"))) == "USER xiaoquan"
    (check,) = (line for line in lines if "urlopen" in line)
    assert needed("GET", re.search(r"7860(/\w+)", check)[1]) is None


def test_compose_starts_one_service_that_can_be_reached_from_this_machine_alone():
    compose = yaml.safe_load(text("compose.yaml"))
    (service,) = compose["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert {volume.split(":")[0] for volume in service["volumes"]} == set(compose["volumes"])
    assert (ROOT / service["build"]["dockerfile"]).exists()


@pytest.mark.parametrize(
    ("name", "writable"),
    [("Dockerfile", ["/data", "/models"]), ("xiaoquan.service", ["/var/lib", "/var/cache"])],
)
def test_whatever_fetches_models_keeps_its_files_where_it_may_write(name, writable):
    places = re.findall(r"(?:_HOME|_CACHE|\.repo\.local)=(/\S+)", text(name))
    assert len(places) >= 3
    assert all(place.startswith(tuple(writable)) for place in places)
    assert "HF_HOME=" in text(name)


@needs("systemd-analyze")
def test_systemd_reads_the_unit(tmp_path):
    unit = tmp_path / "xiaoquan.service"
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text(unit.name)))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
def nginx(tmp_path):
    """Serve what stands behind ports through deploy/nginx.conf; without TLS, on loopback."""

    def serve(*behind):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        site = re.sub(r"(?m)^\s*ssl_.*\n", "", text("nginx.conf"))
        site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
        servers = " ".join(f"server 127.0.0.1:{port};" for port in behind)
        site = site.replace("server 127.0.0.1:7860;", servers)
        (tmp_path / "site.conf").write_text(site, encoding="utf-8")
        folders = "".join(
            f"{name}_temp_path {tmp_path}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}"
            f"http {{ access_log off; {folders} include {tmp_path}/site.conf; }}"
        )
        command = ["nginx", "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"]
        started.append(subprocess.Popen(list(map(str, command))))
        return f"http://127.0.0.1:{port}"

    started = []
    yield serve
    for process in started:
        process.terminate()
        process.wait()


@needs("nginx")
def test_through_nginx_an_answer_comes_word_by_word_and_metrics_do_not(nginx):
    app, heard = FastAPI(), threading.Event()

    def words():
        yield "data: 您好\n\n"
        assert heard.wait(30)  # nothing more is said before the first word has arrived
        yield "data: 再见\n\n"

    @app.get("/answer")
    def answer():
        return StreamingResponse(words(), media_type="text/event-stream")

    with running(app) as behind:
        address = nginx(behind)
        until_it_listens(address)
        try:
            with httpx.stream("GET", f"{address}/answer", timeout=20) as response:
                said = response.iter_text()
                assert "您好" in next(said)
                heard.set()
                assert "再见" in "".join(said)
            assert httpx.get(f"{address}/metrics").status_code == 403
        finally:
            heard.set()


@needs("nginx")
def test_through_nginx_a_browser_meets_the_same_process_each_time(nginx):
    def answering(name):
        app = FastAPI()
        app.get("/who")(lambda: name)
        return app

    with running(answering("one")) as one, running(answering("other")) as other:
        address = nginx(one, other)
        until_it_listens(address)
        met = {httpx.get(f"{address}/who").json() for _ in range(10)}
    assert len(met) == 1


@contextmanager
def running(app):
    """Serve an application on a free port; yield the port."""
    server = Told(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.listens.wait(30)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)
def until_it_listens(address):
    httpx.get(f"{address}/metrics")
