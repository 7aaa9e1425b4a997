"""Writes docs/rules.md from the registry: `python -m analyzers.rules.page > docs/rules.md`."""

from __future__ import annotations

from analyzers.rules.registry import all_rules, qualities


def page() -> str:
    """The whole page, in Markdown: every rule and every word with its definition."""
    lines = [
        "# Rules of cross_analyzer_intelligence",
        "",
        "Made from `analyzers/rules/` by `make docs`; a test holds it current. A rule is one "
        "function there and one test in `tests/analyzers/rules/`. Bounds are this project's own, "
        "set on real clips, unless a source is named.",
        "",
        "## Rules",
        "",
    ]
    for rule in all_rules().values():
        needs = ", ".join(
            f"`{need}`" if isinstance(need, str) else " or ".join(f"`{name}`" for name in need)
            for need in rule.needs
        )
        lines += [
            f"### {rule.name}",
            "",
            " ".join(rule.definition.split()),
            "",
            f"Needs {needs}.",
            "",
        ]
    lines += ["## Words", ""]
    for name, definition in qualities().items():
        lines += [f"### {name}", "", definition, ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
