"""A village's page as some readers need it: in large type, in English, within pages of others. Made when somebody asks."""

from services.publish.bodies.loading import Loaded
from services.publish.bodies.renderer import Bodies
from services.publish.hot.answers import Body
from services.publish.render.english import day_in_english, english_entries, english_month, lacking_in_english
from services.publish.render.places import Village
from services.publish.render.translated import PREFIX
from services.publish.render.village import newest_by_item


def elder(bodies: Bodies, loaded: Loaded, village: Village) -> Body:
    """Three facts, for those who read large type; the five sentences for a voice."""
    page = bodies.village_page(loaded, village)
    return bodies.html("elder.html", page=page, listen=bodies.listen_path, of_persons=page.of_persons)


def english(bodies: Bodies, loaded: Loaded, village: Village, *, below: str = PREFIX) -> Body:
    """The month's figures, whether they agree, what is missing, and what is open, in English; `below`: where the pages stand that it leads to."""
    page = bodies.village_page(loaded, village)
    publications = [loaded.publications[i] for i in loaded.on_page[village.code] if i in loaded.publications]
    return bodies.html(
        "english.html",
        village=village,
        month=english_month(publications),
        differences=sum(not c.ok for c in page.checks),
        checked=bool(page.checks),
        lacking=lacking_in_english(page.standing),
        entries=english_entries(bodies.reference.items, newest_by_item(publications), bodies.duties_of(village)),
        as_of=day_in_english(loaded.now),
        below=below,
    )


def embedded(bodies: Bodies, loaded: Loaded, village: Village) -> bytes:
    """The five sentences, whether they agree, and what is missing, for a frame within a page of others."""
    return bodies.html("embed.html", page=bodies.village_page(loaded, village)).content
