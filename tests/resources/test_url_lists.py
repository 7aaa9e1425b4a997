import pytest

from resources.url_lists import ListedUrl, read_list

HOSTS = ["tiktok.com"]
A, B = "https://www.tiktok.com/@a/video/1", "https://www.tiktok.com/@b/video/2"


def test_text_has_one_a_line_and_comments(tmp_path):
    file = tmp_path / "urls.txt"
    file.write_text(f"# mine\n\n  {A}  \n#{B}\n{B}\n", encoding="utf-8-sig")
    urls, wrong = read_list(file, HOSTS, priority=3)
    assert urls == [ListedUrl(A, 3), ListedUrl(B, 3)]
    assert wrong == []


def test_csv_has_priorities_and_tags(tmp_path):
    file = tmp_path / "urls.csv"
    file.write_text(f'Tags,URL ,priority\n"cats; dogs",{A},7\n,{B},\n')
    urls, wrong = read_list(file, HOSTS, priority=1)
    assert urls == [ListedUrl(A, 7, ("cats", "dogs")), ListedUrl(B, 1)]
    assert wrong == []


def test_a_csv_with_urls_alone_is_enough(tmp_path):
    file = tmp_path / "urls.csv"
    file.write_text(f"url\n{A}\n")
    assert read_list(file, HOSTS) == ([ListedUrl(A)], [])


def test_a_wrong_line_is_named_and_the_others_go_on(tmp_path):
    file = tmp_path / "urls.csv"
    file.write_text(f"url,priority\n{A},high\nhttps://example.com/x,1\n{B},2\nnonsense,\n")
    urls, wrong = read_list(file, HOSTS)
    assert urls == [ListedUrl(B, 2)]
    assert [sentence.split(": ")[0] for sentence in wrong] == [
        f"{file}, line 2",
        f"{file}, line 3",
        f"{file}, line 5",
    ]
    assert "'high' is no whole number" in wrong[0]
    assert "example.com is not on the list" in wrong[1]


def test_what_is_no_list_is_refused_as_a_whole(tmp_path):
    table, picture = tmp_path / "a.csv", tmp_path / "b.txt"
    table.write_text("link,priority\nx,1\n")
    picture.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match=r"a\.csv has no column url"):
        read_list(table, HOSTS)
    with pytest.raises(ValueError, match=r"b\.txt is no list of URLs"):
        read_list(picture, HOSTS)
