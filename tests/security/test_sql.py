"""No text that somebody sent becomes a part of SQL, and none is a pattern.

CVE-2026-42208, CVE-2025-45809, CVE-2024-5225, PYSEC-2026-1550 (LiteLLM: keys and filters inside statements) and
CVE-2026-25591 (New API: patterns of LIKE that cost a scan).
"""

import ast

import pytest

from tests.architecture.source_tree import SRC, modules_under, parsed, shown

TEXTS = {"text", "execute", "exec_driver_sql", "executemany", "fetch", "fetchrow", "fetchval", "literal_column"}
PATTERNS = {"like", "ilike", "not_like", "not_ilike", "regexp_match", "match_op"}
OWN_WORDS = {
    "src/adapters/outbound/sql/tables.py": "names of its columns",
    "src/adapters/outbound/sql/migrations/versions/v0001_tables.py": "names of its columns",
    "src/adapters/outbound/sql/schema.py": "the number of its lock",
    "src/adapters/outbound/sql/connection.py": "its settings of SQLite",
}


def is_glued(argument: ast.expr) -> bool:
    """Made of pieces, of which one could be anything."""
    match argument:
        case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join" | "replace")):
            return True
    return False


def called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def glued_sql(tree: ast.AST) -> list[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [ast.unparse(node) for node in calls if called(node) in TEXTS and is_glued(node.args[0])]


def patterns(tree: ast.AST) -> list[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [ast.unparse(node) for node in calls if called(node) in PATTERNS]


def test_statements_are_made_of_no_pieces() -> None:
    sql = modules_under(SRC / "adapters/outbound/sql")

    assert {shown(path) for path in sql if glued_sql(parsed(path))} == set(OWN_WORDS)


def test_nothing_is_searched_by_a_pattern() -> None:
    assert [shown(path) for path in modules_under(SRC / "adapters/outbound/sql") if patterns(parsed(path))] == []


@pytest.mark.parametrize(
    "code",
    [
        'text(f"SELECT {name}")',
        'sa.text("SELECT " + name)',
        'connection.execute("SELECT %s" % name)',
        'connection.exec_driver_sql("SELECT {}".format(name))',
    ],
)
def test_statement_of_pieces_is_seen(code: str) -> None:
    assert glued_sql(ast.parse(code)) != []
    assert patterns(ast.parse("column.ilike(name)")) != []
    assert glued_sql(ast.parse('text("SELECT :name")')) == []
