"""What a video asks its viewer to do, said or written."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: A call is one of these; the first that fits is told. Whole words, whatever their case. Narrow on
#: purpose: "follow me" is what a guide says too, so a video that shows the way may be misread, but
#: "share" or "save" alone are no calls.
_KINDS: Mapping[str, Mapping[str, str]] = {
    "follow": {
        "en": r"follow (?:me|us|for|along|@\w+)|subscribe|hit the bell",
        "de": r"folg(?:e|t) (?:mir|uns|für)|abonnier\w*",
        "es": r"s[ií]gueme|s[ií]guenos|suscr[ií]be\w*",
        "fr": r"suis-moi|suivez|abonne[- ]toi|abonnez[- ]vous",
        "it": r"seguimi|seguiteci|iscriviti",
        "pt": r"me siga|siga(?:-me)?|inscreva-se",
    },
    "comment": {
        "en": r"(?:leave a |drop a |in the )comments?|comment (?:below|down|if|your)|let (?:me|us) "
        r"know|tell (?:me|us) (?:in|below|what you)|tag (?:a|your|someone|somebody)",
        "de": r"in die kommentare|kommentier\w*|schreibt? (?:es )?mir",
        "es": r"comenta\w*|en los comentarios",
        "fr": r"en commentaire\w*|commente[zr]?",
        "it": r"commenta\w*|nei commenti",
        "pt": r"comente|nos coment[aá]rios",
    },
    "like": {
        "en": r"(?:give (?:it|this|us) a |smash (?:the |that )?|hit (?:the |that )?)like|like and "
        r"(?:share|subscribe|follow)|double tap",
        "de": r"lasst? (?:mir |uns )?(?:ein(?:en)? )?(?:like|daumen)\w*",
        "es": r"dale (?:a )?(?:like|me gusta)",
        "fr": r"(?:mets|mettez|l[aâ]che) un like|likez",
        "it": r"metti (?:un )?(?:like|mi piace)",
        "pt": r"deixe (?:seu |o )?like|curta (?:o v[ií]deo|este|esse|a p[aá]gina)",
    },
    "share": {
        "en": r"share (?:this|it|with)|send this to|save (?:this|it) for",
        "de": r"teil(?:e|t) (?:das|dieses)|speicher\w* (?:dir )?(?:das|dieses)",
        "es": r"comp[aá]rte\w*|gu[aá]rda(?:lo|te)",
        "fr": r"partagez|partage (?:cette|ce|la|[çc]a|avec)",
        "it": r"condividi\w*",
        "pt": r"compartilhe|salve (?:este|esse)",
    },
    "visit": {
        "en": r"link in (?:the |my |our )?(?:bio|description|comments?)|swipe (?:up|left)|"
        r"tap (?:the link|here|below)|click (?:the link|here|below)|check (?:it |us |me )?out|"
        r"learn more|visit (?:us|our|www)|go to \w+\.\w+|find out more|sign up|register now|"
        r"download (?:now|the app|it)|try it (?:now|free|today|for free)",
        "de": r"link in der bio|klick\w* (?:auf|hier)|mehr erfahren|jetzt (?:testen|anmelden)",
        "es": r"enlace en (?:la |mi )?bio|haz clic|desc[aá]rga\w*|reg[ií]strate",
        "fr": r"lien (?:en|dans (?:la|ma)) bio|cliquez|clique (?:ici|sur)|inscris-toi|"
        r"inscrivez-vous",
        "it": r"link in bio|clicca\w*|scarica\w*",
        "pt": r"link na bio|clique (?:aqui|em|no|na)|baixe|cadastre-se",
    },
    "buy": {
        "en": r"(?:buy|order|shop|book|get yours) (?:now|today|here|it here|yours)|shop the|"
        r"use (?:my |the )?code|available now|pre-?order|coming soon|"
        r"in (?:cinemas|theaters|theatres|stores) now",
        "de": r"jetzt (?:kaufen|bestellen|buchen)|mit (?:dem )?code",
        "es": r"c[oó]mpra(?:lo)? (?:ya|ahora|hoy|aqu[ií])|pide (?:ya|ahora)|con el c[oó]digo",
        "fr": r"ach[eè]te[zr]? maintenant|commande[zr]? maintenant|avec le code",
        "it": r"compra ora|ordina ora|con il codice",
        "pt": r"compre (?:agora|j[aá])|pe[cç]a (?:agora|j[aá])|com o c[oó]digo",
    },
}
_PATTERNS = {
    kind: re.compile(rf"(?<!\w)(?:{'|'.join(languages.values())})(?!\w)", re.IGNORECASE)
    for kind, languages in _KINDS.items()
}
#: A question to the viewer, which is one for an answer in the comments.
_QUESTION = re.compile(
    r"(?<!\w)(?:you|your|yours|du|dir|ihr|euch|t[uú]|tuyo|vous|votre|toi|voi|tuo|voc[eê])(?!\w).*\?",
    re.IGNORECASE,
)
KINDS = (*_KINDS, "question")


def call_in(text: str, last: bool) -> str | None:
    """What kind of call a text makes, None for none.

    `last`: it stands at the end of the video, where a question to the viewer is one as well. In
    the middle it is only a way of speaking. English, German, Spanish, French, Italian and
    Portuguese.
    """
    for kind, pattern in _PATTERNS.items():
        if pattern.search(text):
            return kind
    return "question" if last and _QUESTION.search(text) else None
