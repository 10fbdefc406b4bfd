"""Broken files: a reader gives a document, or says why not; it never fails in another way."""

import io
from contextlib import suppress

import docx
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.checking import check_file
from knowledge.errors import UnreadableDocumentError
from knowledge.readers import SUFFIXES, read_documents

QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def office(make, fill):
    out = io.BytesIO()
    file = make()
    fill(file)
    file.save(out)
    return out.getvalue()


WORD = office(docx.Document, lambda file: file.add_paragraph("办结时限三日。"))
SHEET = office(openpyxl.Workbook, lambda book: book.active.append(["事项", "三日"]))


def read(path, content):
    path.write_bytes(content)
    for step in (check_file, lambda path: list(read_documents(path))):
        with suppress(UnreadableDocumentError):
            step(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@QUICK
@given(content=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_under_any_name(tmp_path, suffix, content):
    read(tmp_path / f"a{suffix}", content)


@pytest.mark.parametrize(("suffix", "whole"), [(".docx", WORD), (".xlsx", SHEET)])
@QUICK
@given(data=st.data())
def test_a_file_that_was_damaged_on_its_way(tmp_path, suffix, whole, data):
    at = data.draw(st.integers(0, len(whole) - 1))
    harm = data.draw(st.binary(min_size=1, max_size=8))
    end = data.draw(st.sampled_from([len(whole), at + 1]))
    read(tmp_path / f"a{suffix}", (whole[:at] + harm + whole[at + len(harm) :])[:end])
