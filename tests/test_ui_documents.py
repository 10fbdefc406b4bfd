"""Documents over HTTP: what is uploaded is found, what is hostile is refused or made harmless."""

import io
import json
import os
import struct
import zipfile
from dataclasses import replace

import docx
import openpyxl
import pytest
from fastapi.testclient import TestClient
from filelock import FileLock

from assistant.chain import Assistant
from knowledge import reading
from knowledge.base import KnowledgeBase
from knowledge.errors import UnreadableDocumentError
from knowledge.reading import read_apart
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.api import create_app
from ui.exchanges import Place, seal
from ui.sources import source_html

PASSWORD = "correct horse"
PARKING = "# 青湖公园停车办法\n\n停车首小时免费，之后每小时收费{}元。\n"
WAIT = {"wait": 60}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    settings = load_settings(
        home=tmp_path_factory.mktemp("documents"), admin_password=PASSWORD, upload_limit=2
    )
    with KnowledgeBase(settings) as base:
        yield base


@pytest.fixture(scope="module")
def client(base):
    headers = {"Authorization": f"Bearer {PASSWORD}"}
    app = create_app(base, Assistant(base))
    return TestClient(app, headers=headers, raise_server_exceptions=False)


def upload(client, name, content, **params):
    content = content.encode() if isinstance(content, str) else content
    return client.post("/api/documents", files={"file": (name, content)}, params=params or WAIT)


def texts(client, query):
    return [one["text"] for one in client.get("/api/search", params={"q": query}).json()]


def test_a_document_is_uploaded_replaced_described_and_removed(client):
    job = upload(client, "停车.md", PARKING.format(3)).json()
    assert (job["state"], job["documents"], job["total"]) == ("done", 1, 1)
    (id_,) = job["ids"]
    assert (
        "3元" in client.post("/api/ask", json={"question": "青湖公园停车怎么收费"}).json()["answer"]
    )

    again = upload(client, "停车.md", PARKING.format(5)).json()
    assert again["ids"] == [id_]
    assert [one["source"] for one in client.get("/api/documents").json()] == ["停车.md"]
    assert "5元" in "".join(texts(client, "停车收费"))

    file = {"file": ("别的名字.md", PARKING.format(7).encode())}
    assert client.put(f"/api/documents/{id_}", files=file, params=WAIT).status_code == 200
    assert "7元" in client.get(f"/api/documents/{id_}").json()["text"]

    changes = {"title": "停车新办法", "metadata": {"expires": "2030-01-01"}}
    assert client.patch(f"/api/documents/{id_}", json=changes, params=WAIT).status_code == 200
    (listed,) = client.get("/api/documents").json()
    assert (listed["title"], listed["metadata"]["expires"]) == ("停车新办法", "2030-01-01")

    assert client.delete(f"/api/documents/{id_}", params=WAIT).json()["documents"] == 1
    assert client.get("/api/documents").json() == []
    assert client.delete(f"/api/documents/{id_}", params=WAIT).status_code == 404


def test_a_long_upload_is_a_job_that_can_be_followed(client):
    response = upload(client, "停车.md", PARKING.format(3), wait=0)
    assert response.status_code == 202
    address = response.headers["Location"]
    assert address == f"/api/jobs/{response.json()['id']}"
    # Jobs are done in turn: once a later one is done, so is this one.
    upload(client, "停车二.md", PARKING.format(4))
    assert client.get(address).json()["state"] == "done"
    assert len(client.get("/api/jobs").json()) >= 2
    assert client.get("/api/jobs/nosuch").status_code == 404


def test_what_is_changed_of_a_document_that_is_being_replaced_is_changed_of_the_new_one(
    client, base
):
    (id_,) = upload(client, "公园.md", PARKING.format(3)).json()["ids"]
    file = {"file": ("公园.md", PARKING.format(9).encode())}
    with FileLock(base.home / "uploads" / ".reading.lock"):  # the file takes long to read
        client.put(f"/api/documents/{id_}", files=file)
        client.patch(f"/api/documents/{id_}", json={"metadata": {"expires": "2030-01-01"}})
    upload(client, "后来.md", PARKING.format(4))  # done after them
    changed = client.get(f"/api/documents/{id_}").json()
    assert "9元" in changed["text"]
    assert changed["metadata"]["expires"] == "2030-01-01"


def test_what_is_changed_of_a_document_that_is_being_removed_is_told(client, base):
    (id_,) = upload(client, "公园.md", PARKING.format(3)).json()["ids"]
    with FileLock(base.home / "uploads" / ".reading.lock"):
        upload(client, "后来.md", PARKING.format(4), wait=0)
        client.delete(f"/api/documents/{id_}")
        job = client.patch(f"/api/documents/{id_}", json={"title": "新的"}).json()
    upload(client, "后来.md", PARKING.format(4))
    ended = client.get(f"/api/jobs/{job['id']}").json()
    assert ended["state"] == "failed"
    assert id_ in ended["error"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("2025年1月31日", "2025-01-31"), ("2025.1.31", "2025-01-31"), ("", None), (" ", None)],
)
@pytest.mark.parametrize("name", ["date", "effective", "expires"])
def test_a_date_is_kept_in_the_form_that_is_compared(client, name, typed, kept):
    (id_,) = upload(client, "公园.md", PARKING.format(3)).json()["ids"]
    changes = {"metadata": {name: typed}}
    assert client.patch(f"/api/documents/{id_}", json=changes, params=WAIT).status_code == 200
    assert client.get(f"/api/documents/{id_}").json()["metadata"].get(name) == kept


def test_what_is_no_date_is_refused_but_stays_where_nobody_changes_it(client, base):
    (id_,) = upload(client, "公园.md", PARKING.format(3)).json()["ids"]
    base.correct(replace(base.document(id_), metadata={"date": "2019"}))  # as a table had it
    refused = client.patch(f"/api/documents/{id_}", json={"metadata": {"expires": "明年底"}})
    assert refused.status_code == 422
    assert "'明年底'" in refused.json()["error"]
    assert "2025-01-31" in refused.json()["error"]
    changes = {"metadata": {"date": "2019", "issuer": "青湖公园"}}
    assert client.patch(f"/api/documents/{id_}", json=changes, params=WAIT).status_code == 200


def test_rows_are_documents_each_and_keep_their_ids(client):
    rows = "title,text\n甲,甲事项三日办结\n乙,乙事项五日办结\n"
    first, second = (upload(client, "事项.csv", rows).json() for _ in range(2))
    assert first["total"] == 2
    assert first["ids"] == second["ids"]
    broken = '{"text": "丙事项七日办结"}\n{"text": 5}\n'
    job = upload(client, "事项.jsonl", broken).json()
    assert (job["documents"], [one["path"] for one in job["failed"]]) == (1, ["事项.jsonl:2"])


# -- hostile files


def archive(*parts, base_file=None, **options):
    """An Office file: a good one with more parts, or one made of these alone."""
    out = io.BytesIO(base_file or b"")
    mode = "a" if base_file else "w"
    with zipfile.ZipFile(out, mode, zipfile.ZIP_DEFLATED, **options) as made:
        for name, content in parts:
            made.writestr(name, content)
    return out.getvalue()


def word(text="正文"):
    out = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(text)
    document.save(out)
    return out.getvalue()


def sheet(value="值"):
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = value
    book.save(out)
    return out.getvalue()


def encrypted(content):
    """Set the flag that says that a part has a password."""
    at = content.index(b"PK\x01\x02") + 8
    flags = struct.unpack("<H", content[at : at + 2])[0]
    return content[:at] + struct.pack("<H", flags | 1) + content[at + 2 :]


ENTITY = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa">]><w:document>&a;</w:document>'
LAUGHS = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
BOMB = b"\0" * 30_000_000
MAIN = ("word/document.xml", "<w:document/>")
HOSTILE = {  # file name, content, what is told
    "a zip called text": ("a.txt", archive(MAIN), "压缩包"),
    "a pdf called text": ("a.md", b"%PDF-1.7\n", "PDF"),
    "a picture called text": ("a.txt", b"\x89PNG\r\n\x1a\n", "图片"),
    "a jpeg called html": ("a.html", b"\xff\xd8\xff\xe0", "图片"),
    "a program called text": ("a.txt", b"\x7fELF\x02", "程序"),
    "a windows program called csv": ("a.csv", b"MZ\x90\x00", "程序"),
    "a script called text": ("a.txt", b"#!/bin/sh\nrm -rf /\n", "程序脚本"),
    "a database called jsonl": ("a.jsonl", b"SQLite format 3\x00", "数据库"),
    "zeros called text": ("a.txt", b"\x00" * 5000, "二进制"),
    "gzip called text": ("a.txt", b"\x1f\x8b\x08", "压缩包"),
    "text called pdf": ("a.pdf", b"hello", "不是 PDF"),
    "a pdf without an end": ("a.pdf", b"%PDF-1.7\n1 0 obj <<", "损坏"),
    "html called docx": ("a.docx", b"<html>hello</html>", "Office"),
    "an empty file": ("a.txt", b"", "没有文字"),
    "old office called docx": ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office"),
    "a broken archive": ("a.docx", word()[:200], "损坏"),
    "a sheet called docx": ("a.docx", sheet(), "类型不符"),
    "a docx called xlsx": ("a.xlsx", word(), "类型不符"),
    "macros": ("a.docx", archive(("word/vbaProject.bin", b"x"), base_file=word()), "宏"),
    "macros in a sheet": ("a.xlsx", archive(("xl/vbaProject.bin", b"x"), base_file=sheet()), "宏"),
    "an embedded program": (
        "a.docx",
        archive(("word/embeddings/oleObject1.bin", b"MZ"), base_file=word()),
        "嵌入",
    ),
    "activex": ("a.docx", archive(("word/activeX/a.bin", b"x"), base_file=word()), "嵌入"),
    "a bomb": ("a.docx", archive(MAIN, ("word/media/a.bmp", BOMB)), "异常"),
    "a bomb in a sheet": (
        "a.xlsx",
        archive(("xl/workbook.xml", "<w/>"), ("xl/b.xml", BOMB)),
        "异常",
    ),
    "thousands of parts": ("a.docx", archive(MAIN, *((f"p{n}", b"") for n in range(5001))), "太大"),
    "a path upwards": ("a.docx", archive(MAIN, ("../../etc/cron.d/x", b"x")), "路径"),
    "a path from the root": ("a.docx", archive(MAIN, ("/etc/passwd", b"x")), "路径"),
    "a windows path": ("a.docx", archive(MAIN, ("..\\..\\x", b"x")), "路径"),
    "an entity": ("a.docx", archive(("word/document.xml", ENTITY)), "实体"),
    "a billion laughs": ("a.docx", archive(MAIN, ("word/styles.xml", LAUGHS)), "实体"),
    "an entity from a file": ("a.docx", archive(MAIN, ("docProps/app.xml", OUTSIDE)), "实体"),
    "an entity in utf-16": (
        "a.docx",
        archive(("word/document.xml", ENTITY.encode("utf-16"))),
        "实体",
    ),
    "an entity far down": (
        "a.xlsx",
        archive(("xl/workbook.xml", " " * ((1 << 20) - 3) + LAUGHS)),
        "实体",
    ),
    "a password": ("a.docx", encrypted(word()), "密码"),
    "a script file": ("a.js", b"alert(1)", "不支持"),
    "a vector picture": ("a.svg", b"<svg onload='alert(1)'/>", "不支持"),
    "a macro document": ("a.docm", word(), "不支持"),
    "no name": (".md", b"# x", "不支持"),
    "too large": ("a.txt", b"x" * 2_200_000, "太大"),
    "deep json": ("a.jsonl", b'{"text":' + b"[" * 100_000, "没有"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_and_told_why(client, base, case):
    before = len(client.get("/api/documents").json())
    name, content, told = HOSTILE[case]
    response = upload(client, name, content)
    if response.status_code == 200:  # read, but nothing came of it
        assert response.json()["ids"] == []
        assert response.json()["failed"]
    else:
        assert response.status_code in {413, 422}
        assert told in response.json()["error"]
        assert str(base.home) not in response.text
    assert len(client.get("/api/documents").json()) == before
    assert not [f for f in (base.home / "uploads").iterdir() if f.suffix != ".lock"]


@pytest.mark.parametrize("letter", ["长", "𠮷", "x"])
def test_a_name_is_cut_to_what_file_systems_take(client, letter):
    job = upload(client, f"{letter * 300}.md", "# 某事\n\n某事三日办结。\n").json()
    assert job["state"] == "done"
    assert job["name"].endswith(f"{letter}.md")
    assert len(job["name"].encode()) > 250


def test_no_file_stays_of_what_can_not_wait(base, monkeypatch):
    monkeypatch.setattr("ui.jobs.WAITING", 1)
    app = create_app(base, Assistant(base))
    client = TestClient(app, headers={"Authorization": f"Bearer {PASSWORD}"})
    uploads = base.home / "uploads"
    uploads.mkdir(exist_ok=True)
    with FileLock(uploads / ".reading.lock"):
        codes = [upload(client, "停车.md", PARKING.format(3), wait=0).status_code]
        while codes[-1] == 202:
            codes.append(upload(client, "停车.md", PARKING.format(3), wait=0).status_code)
        assert codes[-1] == 503
        assert len(list(uploads.glob("*.md"))) == len(codes) - 1
    for job in app.state.service.jobs.remembered():
        job.ended.result(60)


def test_what_an_ended_server_left_is_swept_and_what_another_waits_for_is_not(tmp_path):
    (tmp_path / "uploads").mkdir()
    for name in (".old.md", ".new.md", ".reading.lock"):
        (tmp_path / "uploads" / name).touch()
    for name in (".old.md", ".reading.lock"):
        os.utime(tmp_path / "uploads" / name, (0, 0))
    with KnowledgeBase(load_settings(home=tmp_path)) as base:
        create_app(base, Assistant(base))
    assert {f.name for f in (tmp_path / "uploads").iterdir()} == {".new.md", ".reading.lock"}


@pytest.mark.parametrize("name", ["../../etc/x.md", "..\\x.md", "/x.md", "a/../x.md", "\x00x.md"])
def test_a_name_leads_nowhere_else(client, base, name):
    before = set(base.home.parent.rglob("x.md"))  # other tests' files
    upload(client, name, "# 某事\n\n某事三日办结。\n")
    assert {one["source"] for one in client.get("/api/documents").json()} >= {"x.md"}
    assert set(base.home.parent.rglob("x.md")) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("脚本.html", "<html><body><p>补贴按月发放。</p><script>alert(1)</script>"
         "<img src=x onerror=alert(1)></body></html>"),
        ("脚本.md", "# 补贴\n\n补贴按月发放。\n\n[点我](javascript:alert(1))\n"),
    ],
)  # fmt: skip
def test_scripts_reach_no_page(client, name, content):
    upload(client, name, content)
    (id_,) = [d["id"] for d in client.get("/api/documents").json() if d["source"] == name]
    response = client.get(f"/api/documents/{id_}")
    assert response.headers["content-type"] == "application/json"
    assert "<script" not in response.text
    assert "onerror" not in response.text


def test_reading_that_takes_too_long_or_too_much_is_ended(tmp_path, monkeypatch):
    path = tmp_path / "a.md"
    path.write_text("# 某事\n\n某事三日办结。\n")
    assert [one.title for one in read_apart(path)] == ["某事"]
    with pytest.raises(UnreadableDocumentError, match="还没读完"):
        list(read_apart(path, seconds=0.01))
    (tmp_path / "long.txt").write_text("一二三四五六七八九。" * (reading.LONGEST // 10 + 1))
    with pytest.raises(UnreadableDocumentError, match="拆分"):
        list(read_apart(tmp_path / "long.txt"))


def test_the_reading_process_knows_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("XIAOQUAN_CHAT_API_KEY", "secret")
    seen = {}

    def run(command, **options):
        seen.update(options["env"])
        raise reading.subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(reading.subprocess, "run", run)
    (tmp_path / "a.md").write_text("x")
    with pytest.raises(UnreadableDocumentError):
        list(read_apart(tmp_path / "a.md"))
    assert "secret" not in json.dumps(seen)


@pytest.mark.parametrize("url", ["https://www.qz.gov.cn：8443/a", "http://[待补充]/"])
def test_a_source_whose_address_is_mistyped_is_shown_all_the_same(base, url):
    base.add(Document("mistyped", "停车收费", "每小时收费3元。", "/a.md", {"url": url}))
    shown = source_html(base, Place("mistyped", 0, 8, seal("每小时收费3元")))
    assert "停车收费" in shown
    assert "查看原文网页" not in shown
