import psutil
import sqlalchemy as sa

from resources.sqlite_file import open_sqlite


def test_the_file_is_open_only_while_it_is_used(tmp_path):
    tables = sa.MetaData()
    table = sa.Table("words", tables, sa.Column("word", sa.String))
    engine = open_sqlite(tmp_path / "state" / "words.sqlite", tables)
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(word="open"))
        assert _open_below(tmp_path)
    assert not _open_below(tmp_path)
    with engine.connect() as connection:
        assert connection.execute(sa.select(table.c.word)).scalars().all() == ["open"]


def _open_below(folder):
    files = psutil.Process().open_files()
    return [file.path for file in files if file.path.startswith(str(folder))]
