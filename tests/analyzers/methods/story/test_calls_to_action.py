import pytest

from analyzers.methods.story.calls_to_action import call_in


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("FOLLOW FOR MORE", "follow"),
        ("Don't forget to subscribe!", "follow"),
        ("link in bio", "visit"),
        ("Check it out today.", "visit"),
        ("Let me know in the comments", "comment"),
        ("Jetzt bestellen", "buy"),
        ("Sígueme para más", "follow"),
        ("Abonne-toi", "follow"),
        ("Abonnez-vous !", "follow"),
        ("Clique aqui", "visit"),
        ("Cliquez ici", "visit"),
        ("Partagez cette vidéo", "share"),
        ("Curta o vídeo", "like"),
    ],
)
def test_a_call_is_heard(text, kind):
    assert call_in(text, last=False) == kind


@pytest.mark.parametrize(
    "text",
    [
        "An unlucky bird",
        "They followed the river",
        "I share a flat with two friends",
        "This is the optical and science segment",
        "He likes it",
        "She left the clique",
        "Un abonnement de train",
        "Le partage des gains",
        "Una storia curta",
        "Sie folgt einem Plan",
    ],
)
def test_a_statement_is_none(text):
    assert call_in(text, last=True) is None


def test_a_question_to_the_viewer_calls_at_the_end_only():
    assert call_in("Which one is yours?", last=True) == "question"
    assert call_in("Which one is yours?", last=False) is None
    assert call_in("Where did he go?", last=True) is None
