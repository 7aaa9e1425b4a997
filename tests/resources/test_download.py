"""What the child does, in this process: for what yt-dlp has no server on loopback."""

import json

import av
import pytest
from PIL import Image

from resources import download
from resources.address_guard import AddressGuard
from resources.download_errors import Unwanted, failure
from resources.stream_copy import join
from resources.url_settings import UrlSettings
from tests.loopback import loopback_web
from tests.made_media import write_video

ID = "7253412088251534594"
PHOTO = f"https://www.tiktok.com/@someone/photo/{ID}"


@pytest.fixture
def web():
    with loopback_web() as web:
        yield web


@pytest.fixture
def ask(tmp_path):
    def ask(url, archive=(), **settings):
        request = {
            **UrlSettings(**{"hosts": ["tiktok.com"], **settings}).model_dump(mode="json"),
            "proxy": "",
            "url": url,
            "tags": [],
            "folder": str(tmp_path / "partial"),
            "archive": list(archive),
            "socket_timeout_s": 5,
        }
        return download.download(request, lambda message: None, AddressGuard())

    return ask


def _part(file, kind):
    """One stream of a video, as a file of its own."""
    target = file.with_suffix(".part.mp4")
    with av.open(str(file)) as whole, av.open(str(target), "w") as out:
        stream = whole.streams.best(kind)
        copy = out.add_stream_from_template(stream)
        for packet in whole.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    return target.read_bytes()


def _facts(path):
    with av.open(str(path)) as file:
        return [s.codec.name for s in file.streams], file.duration / 1e6


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.mp4")


HERE = {"hosts": ["127.0.0.1"]}
PAGE = b"<html><body>words and no video</body></html>"
DASH = b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="v" codecs="avc1.64001f" bandwidth="100000"
 width="96" height="128"><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="a" codecs="mp4a.40.2" bandwidth="64000">
<BaseURL>a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"""
HLS = b"""#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXTINF:2.0,
clip.ts
#EXT-X-ENDLIST
"""


@pytest.mark.parametrize("kind", ["video/mp4", "application/octet-stream"])
def test_a_link_without_a_suffix_is_known_by_its_content(ask, web, clip, tmp_path, kind):
    (found,) = ask(web.file("/watch", clip.read_bytes(), kind), **HERE)
    assert found["video"].endswith(".mp4")
    assert found["archive_id"] == ""  # others may have a /watch as well
    assert (tmp_path / "partial" / found["video"]).read_bytes() == clip.read_bytes()


def test_files_of_the_same_name_from_two_places_are_two(ask, web, clip):
    urls = [web.file(path, clip.read_bytes()) for path in ("/a/clip.mp4", "/b/clip.mp4")]
    assert len({ask(url, **HERE)[0]["video"] for url in urls}) == 2


def test_what_a_server_cut_short_is_taken_up_where_it_ended(ask, web, clip, tmp_path):
    data = clip.read_bytes()
    (found,) = ask(web.file("/cut.mp4", data, cut_at=len(data) // 2), **HERE)
    assert (tmp_path / "partial" / found["video"]).read_bytes() == data
    assert [bytes_ != "" for path, bytes_ in web.asked] == [False, False, True]


def test_picture_and_sound_that_come_apart_are_joined(ask, web, clip, tmp_path):
    web.file("/v.mp4", _part(clip, "video"))
    web.file("/a.mp4", _part(clip, "audio"), "audio/mp4")
    (found,) = ask(web.file("/both.mpd", DASH, "application/dash+xml"), **HERE)
    codecs, length_s = _facts(tmp_path / "partial" / found["video"])
    assert codecs == ["h264", "aac"]
    assert length_s == pytest.approx(2.0, abs=0.1)
    assert [f.suffix for f in (tmp_path / "partial").iterdir()].count(".mp4") == 1


def test_a_stream_in_pieces_becomes_an_mp4(ask, web, clip, tmp_path):
    join([clip], tmp_path / "clip.ts")
    web.file("/clip.ts", (tmp_path / "clip.ts").read_bytes(), "video/mp2t")
    (found,) = ask(web.file("/list.m3u8", HLS, "application/vnd.apple.mpegurl"), **HERE)
    with av.open(str(tmp_path / "partial" / found["video"])) as video:
        assert "mp4" in video.format.name
        assert sum(1 for _ in video.decode(video=0)) == 30


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        ("/404.mp4", "removed", "404"),
        ("/403.mp4", "forbidden", "urls retry"),
        ("/503.mp4", "network", "503"),
        ("/page", "unsupported", "Unsupported URL"),
        ("/song.m4a", "unsupported", "sound but no picture"),
        ("/words.mp4", "unsupported", "it is no video"),
        ("/file", "unavailable", "file:"),
    ],
)
def test_why_there_is_none(ask, web, clip, path, kind, says):
    for code in (404, 403, 503):
        web.status(f"/{code}.mp4", code)
    web.file("/page", PAGE, "text/html")
    web.file("/song.m4a", _part(clip, "audio"), "audio/mp4")
    web.file("/words.mp4", b"no video " * 200)
    web.redirect("/file", "file:///etc/passwd")
    with pytest.raises(Exception) as raised:  # noqa: PT011  yt-dlp has many of its own
        ask(web.url + path, **HERE)
    why = failure(raised.value, AddressGuard())
    assert why.kind == kind
    assert says in why.reason


def test_a_file_that_is_too_large_is_refused(ask, web, clip):
    with pytest.raises(Unwanted, match=r"larger than 0\.01 MB \(urls\.most_mb\)"):
        ask(web.file("/clip.mp4", clip.read_bytes()), most_mb=0.01, **HERE)


@pytest.fixture
def slideshow(web, tmp_path, monkeypatch):
    """Serves two pictures and a sound, and has TikTok's page tell of them."""
    pictures = []
    for number, hue in enumerate(("red", "blue")):
        file = tmp_path / f"{number}.jpg"
        Image.new("RGB", (120, 160), hue).save(file)
        pictures.append(web.file(f"/{number}.jpg", file.read_bytes(), "image/jpeg"))
    write_video(tmp_path / "whole.mp4", seconds=3.0)
    sound = web.file("/s.m4a", _part(tmp_path / "whole.mp4", "audio"), "audio/mp4")
    item = {
        "id": ID,
        "desc": "two #pictures",
        "createTime": 1690000000,
        "author": {"uniqueId": "someone", "nickname": "Some One"},
        "music": {"title": "a tune", "playUrl": sound, "duration": 3},
        "video": {"duration": 0, "playAddr": ""},
        "imagePost": {
            # The first place that is named for a picture does not have it.
            "images": [{"imageURL": {"urlList": [f"{web.url}/gone.jpg", p]}} for p in pictures]
        },
    }
    monkeypatch.setattr(
        download.TikTokIE, "_extract_web_data_and_status", lambda *_, **__: (item, 0)
    )
    return item


def test_a_slideshow_of_tiktok_becomes_a_video(ask, slideshow, tmp_path):
    (found,) = ask(PHOTO)
    assert found["archive_id"] == f"tiktok {ID}"
    assert found["video"] == f"TikTok-someone-{ID}.mp4"
    codecs, length_s = _facts(tmp_path / "partial" / found["video"])
    assert codecs == ["h264", "aac"]
    assert length_s == pytest.approx(3.0, abs=0.1)
    said = json.loads((tmp_path / "partial" / found["info"]).read_text())
    assert (said["uploader"], said["description"]) == ("someone", "two #pictures")
    assert said["timestamp"] == 1690000000


def test_a_slideshow_without_sound(ask, slideshow, tmp_path):
    slideshow["music"]["playUrl"] = ""
    (found,) = ask(f"https://www.tiktok.com/@someone/video/{ID}")
    codecs, length_s = _facts(tmp_path / "partial" / found["video"])
    assert codecs == ["h264"]
    assert length_s == pytest.approx(5.0, abs=0.1)


def test_a_video_in_the_archive_is_not_downloaded_again(ask, slideshow, web):
    (found,) = ask(PHOTO, archive=[f"tiktok {ID}"])
    assert found["video"] is None
    assert web.asked == []


def test_the_apps_answer_has_pictures_as_well():
    detail = {
        "aweme_id": ID,
        "video": {},
        "image_post_info": {
            "images": [{"display_image": {"url_list": ["https://a/1.heic", "https://a/1.jpg"]}}]
        },
    }
    with download.YoutubeDL({"quiet": True}) as web:
        extractor = download.TikTokIE(web)
        info = extractor._parse_aweme_video_app(detail)
    assert info[download.PICTURES] == [["https://a/1.heic", "https://a/1.jpg"]]


def test_a_post_of_several_videos_and_a_list_that_is_too_long(ask, web, tmp_path, monkeypatch):
    data = write_video(tmp_path / "clip.mp4").read_bytes()
    urls = [web.file(f"/{number}.mp4", data) for number in range(3)]

    def carousel(self, url):
        entries = [
            {"id": f"{ID}{n}", "title": "part", "uploader": "u", "url": u, "ext": "mp4"}
            for n, u in enumerate(urls)
        ]
        return self.playlist_result(entries, ID)

    monkeypatch.setattr(download.TikTokIE, "_real_extract", carousel)
    assert len({found["video"] for found in ask(PHOTO)}) == 3
    with pytest.raises(Unwanted, match=r"more than 2 videos \(urls\.most_videos\)"):
        ask(PHOTO, most_videos=2)


def test_cookies_are_read_and_never_written(ask, web, tmp_path):
    data = write_video(tmp_path / "clip.mp4").read_bytes()
    sent = []

    def answer(handler):
        sent.append(handler.headers.get("Cookie"))
        handler.send_response(200)
        handler.send_header("Set-Cookie", "session=new")
        handler.send_header("Content-Type", "video/mp4")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    web.answers["/clip.mp4"] = answer
    jar = tmp_path / "cookies.txt"
    line = "127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tmine\n"
    jar.write_text(f"# Netscape HTTP Cookie File\n{line}")
    ask(web.url + "/clip.mp4", cookies_file=jar, **HERE)
    assert sent[0] == "session=mine"
    assert jar.read_text().endswith(line)
    with pytest.raises(Unwanted, match=r"nowhere\.txt"):
        ask(web.url + "/clip.mp4", cookies_file=tmp_path / "nowhere.txt", **HERE)
