"""Finds copy protection in the two container families that carry it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: The same boxes as `uuid`s, as Smooth Streaming (PIFF 1.1) writes them.
_PIFF = {
    bytes.fromhex("a2394f525a9b4f14a2446c427c648df4"),
    bytes.fromhex("8974dbce7be74c5184f97148f9882554"),
}
_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"}
_SYSTEMS = {
    bytes.fromhex("edef8ba979d64acea3c827dcd51d21ed"): "Widevine",
    bytes.fromhex("9a04f07998404286ab92e65be0885f95"): "PlayReady",
    bytes.fromhex("94ce86fb07ff4f43adb893d2fa968ca2"): "FairPlay",
    bytes.fromhex("1077efecc0b24d02ace33c1e52e2fb4b"): "ClearKey",
    bytes.fromhex("e2719d58a985b3c9781ab030af78d30e"): "ClearKey",
}
#: EBML ContentEncryption (0x5035) with a ContentEncAlgo (0x47E1) inside.
_WEBM = re.compile(rb"\x50\x35.{1,24}?\x47\xe1", re.DOTALL)


def encrypted_by(path: Path) -> str | None:
    """The protection of an MP4 (Common Encryption, ISO/IEC 23001-7) or WebM file, or None."""
    with path.open("rb") as file:
        head = file.read(64 * 1024)
        if head.startswith(b"\x1aE\xdf\xa3"):
            return "WebM content encryption" if _WEBM.search(head) else None
        if len(head) < 8 or not head[4:8].isalnum():
            return None
        size = file.seek(0, 2)
        found: set[str] = set()
        for kind, body_at in _boxes(file, 0, size, depth=0):
            if kind == b"pssh":
                file.seek(body_at + 4)
                found.add(_SYSTEMS.get(file.read(16), "an unknown key system"))
            elif kind in (b"senc", b"tenc"):
                found.add("Common Encryption")
            elif kind == b"uuid":
                file.seek(body_at)
                if file.read(16) in _PIFF:
                    found.add("Common Encryption")
            elif kind == b"stsd":
                file.seek(body_at + 12)
                if file.read(4) in (b"encv", b"enca"):
                    found.add("Common Encryption")
    if "Common Encryption" not in found:  # key systems alone may stand beside clear samples
        return None
    named = sorted(found - {"Common Encryption"})
    return "Common Encryption" + (f", {', '.join(named)}" if named else "")


def _boxes(file: BinaryIO, at: int, end: int, depth: int) -> Iterator[tuple[bytes, int]]:
    """Boxes of an ISO base media file and of its parent boxes: type, start of body."""
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        body_at = at + 8
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
            body_at += 8
        box_end = end if size == 0 else at + size
        if box_end < body_at or box_end > end:
            return
        yield kind, body_at
        if kind in _PARENTS and depth < 8:
            yield from _boxes(file, body_at, box_end, depth + 1)
        at = box_end
