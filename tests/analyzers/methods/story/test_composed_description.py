from analyzers.methods.story.composed_description import describe_shot, describe_video
from analyzers.methods.story.shot_claims import Claim, Shot


def shot(number: int, scale: str, hedged: bool = False) -> Shot:
    claim = Claim("scale", scale, scale, (f"composition_analysis/{number}",), 0.9, hedged=hedged)
    return Shot(number, float(number), number + 1.0, number, None, (claim,))


def told(*shots: Shot) -> str:
    return describe_video(shots, [describe_shot(one) for one in shots], float(len(shots))).text


def test_scales_are_counted_and_what_is_likely_is_told_apart() -> None:
    text = told(
        shot(0, "close_up"), shot(1, "long"), shot(2, "long"), shot(3, "close_up", hedged=True),
        shot(4, "long", hedged=True), shot(5, "long", hedged=True), shot(6, "medium", hedged=True),
    )  # fmt: skip
    assert (
        "It is framed in a close-up and two long shots and probably in another close-up, "
        "a medium shot and two more long shots." in text
    )


def test_what_is_only_likely_is_not_another() -> None:
    both_likely = told(shot(0, "close_up", hedged=True), shot(1, "close_up", hedged=True))
    assert "It is framed probably in two close-ups." in both_likely
