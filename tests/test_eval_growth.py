"""The table of growth: filled from a home, measured at each size."""

import json

from eval.growth import COLUMNS, embedded_a_second, measure


def test_a_home_is_grown_and_measured_at_each_size(sample_home, sample_base, tmp_path):
    questions = tmp_path / "set.jsonl"
    rows = [
        {"id": n, "question": f"公积金怎么提取{n}", "facts": [], "answerable": False}
        for n in range(5)
    ]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    every = sample_base.catalogue.count()[1]
    small, large = measure(sample_home, questions, (20, every + 50))
    assert set(small) == set(COLUMNS)
    assert 20 <= small["passages"] < every
    assert every + 50 <= large["passages"]  # further editions of the same documents
    assert 0 < small["disk, MB"] <= large["disk, MB"]
    for name in ("indexed/s", "search p50, ms", "search p95, ms", "memory, MB"):
        assert large[name] > 0
    assert embedded_a_second(sample_home) > 0
