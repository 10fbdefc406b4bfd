"""Servers that tests start on free ports of loopback: Chroma and PostgreSQL."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from tenacity import retry, stop_after_delay, wait_fixed

CHROMA = Path(sys.executable).with_name("chroma")


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True)
def until_it_answers(url):
    httpx.get(f"{url}/api/v2/heartbeat").raise_for_status()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def chroma(tmp_path):
    """The package's own Chroma server: its address, and what starts and stops it."""
    port = free_port()
    command = [CHROMA, "run", "--path", tmp_path / "chroma", "--host", "127.0.0.1", "--port", port]
    url, running = f"http://127.0.0.1:{port}", []

    def start():
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen(list(map(str, command)), **quiet))
        until_it_answers(url)

    def stop():
        server = running.pop()
        server.kill()
        server.wait()

    start()
    yield url, start, stop
    while running:
        stop()


@pytest.fixture
def postgres():
    """Debian's PostgreSQL on a free port: its address, and what starts and stops it."""
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL here")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user = []
    if os.geteuid() == 0:  # which PostgreSQL refuses to be
        shutil.chown(folder, "nobody")
        as_user = ["runuser", "-u", "nobody", "--"]

    def run(program, *words):
        command = [*as_user, found[-1].with_name(program), "-D", folder / "data", *words]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)

    run("initdb", "-A", "trust", "-U", "xiaoquan", "--no-sync")
    port = free_port()
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"

    def start():
        run("pg_ctl", "-o", options, "-l", folder / "log", "-w", "start")

    def stop():
        run("pg_ctl", "-m", "fast", "stop")

    start()
    yield f"postgresql+psycopg://xiaoquan@127.0.0.1:{port}/postgres", start, stop
    stop()
    shutil.rmtree(folder)
