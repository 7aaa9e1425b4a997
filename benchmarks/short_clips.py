"""Short clips cut from the sample: real pictures and speech, and a new file each time."""

from pathlib import Path

import av

SAMPLE = Path(__file__).resolve().parents[1] / "sample" / "street_portrait.mp4"


def cut(target: Path, seconds: float, title: str = "") -> Path:
    """Write the sample's first seconds, packets as they are; length and title make other bytes."""
    with av.open(str(SAMPLE)) as source, av.open(str(target), "w") as short:
        short.metadata["title"] = title
        streams = {s.index: short.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.pts is not None and packet.pts * packet.time_base < seconds:
                packet.stream = streams[packet.stream.index]
                short.mux(packet)
    return target
