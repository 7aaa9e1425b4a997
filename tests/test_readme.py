import re
from pathlib import Path

from analyzers.registry import builtin

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


def test_the_table_lists_exactly_the_analyzers_there_are():
    listed = re.findall(r"^\| ([a-z0-9_]+) \| .* \| .* \|$", README, re.MULTILINE)
    counted = {cls.name for cls in builtin() if not cls.shared_product}
    assert {name for name in listed if name != "analyzer"} == counted


def test_shared_products_are_named():
    for cls in builtin():
        if cls.shared_product:
            assert f"`{cls.name}`" in README
