"""Takes the pictures of the documents again: ``python tests/sandbox/screenshots.py`` writes them to ``docs/images``."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import PIL.Image
import PIL.ImageOps

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT))

from profilectl.pictures.placeholders import initials_portrait  # noqa: E402 - run as a script
from profilectl.sandbox.http.app import SandboxApp  # noqa: E402
from profilectl.sandbox.http.server import SandboxServer  # noqa: E402
from profilectl.sandbox.model.messages import Draft  # noqa: E402
from profilectl.sandbox.model.world import World  # noqa: E402
from tests.photographs import photograph_like_portrait  # noqa: E402
from tests.sandbox.browser import Browser  # noqa: E402

FOLDER = PROJECT / "docs" / "images"
COLOURS = 256  # a palette keeps the files small
MORNING = 1_790_064_120.0  # a Tuesday in September
PHONE, DESK = (390, 844), (1120, 944)


class Clock:
    """Goes on when told to."""

    now = MORNING

    def __call__(self):
        return self.now


def tell_the_story(world, clock):
    """A customer, a bot that asks, a person who answers, and the account itself."""
    brand = world.ensure_brand("acmecare")
    ada = world.ensure_customer("ada_l")
    alice = _agent(world, brand, "Alice F., Care", photograph_like_portrait(8))
    bot = _agent(world, brand, "Acme Care bot", initials_portrait("Acme Care bot"))
    _agent(world, brand, "Bruno M., Billing", photograph_like_portrait(3))

    def say(text, profile=None, minutes=1, **more):
        clock.now += 60 * minutes
        world.messages.send(brand.user_id, world.tokens.app().id, Draft(ada.user_id, text, profile, **more))

    def ask(text, minutes=1):
        clock.now += 60 * minutes
        world.messages.receive("ada_l", "acmecare", text)

    say("We are open from 7 to 22 now.")
    ask("No signal. Is it just me?", 60 * 25)
    options = [{"label": "Harbour district"}, {"label": "Old town"}, {"label": "Somewhere else"}]
    say("Sorry to hear that. Where is it?", bot, quick_reply={"type": "options", "options": options})
    ask("Harbour district")
    links = [{"type": "web_url", "label": "See the map", "url": "https://status.acme.example/harbour"}]
    say("Hi, I'm Alice. A mast near you is down until noon, and we're on it.", alice, 2, ctas=links)
    options = [{"label": "Yes, please"}, {"label": "No, thanks"}]
    say(
        "Shall I write to you when it works again?",
        alice,
        quick_reply={"type": "options", "options": options},
    )


def _agent(world, brand, name, portrait):
    with PIL.Image.open(io.BytesIO(portrait)) as image:
        upright, target = PIL.ImageOps.fit(PIL.ImageOps.exif_transpose(image), (400, 400)), io.BytesIO()
        upright.save(target, "PNG")
    portrait = target.getvalue()
    return world.profiles.create(brand.user_id, name, world.media.add(brand.user_id, portrait).id).id


def shoot(tab, name, size, *, dark=False, mobile=False, folder=FOLDER):
    """Save what a tab shows at a size."""
    tab.look_like(*size, 2 if mobile else 1, dark=dark, mobile=mobile)
    tab.until("[...document.images].every(image => image.complete || image.loading === 'lazy')")
    tab.until("!document.getElementById('state') || document.getElementById('state').className === 'well'")
    image = PIL.Image.open(io.BytesIO(tab.picture())).convert("RGB")
    small = image.quantize(COLOURS, PIL.Image.Quantize.MEDIANCUT, kmeans=2, dither=PIL.Image.Dither.NONE)
    small.save(folder / name, "PNG", optimize=True)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    with World(now=clock) as world, tempfile.TemporaryDirectory() as profile:
        tell_the_story(world, clock)
        with SandboxServer(SandboxApp(world)) as server, Browser(profile) as browser:
            tab = browser.tab()
            tab.open(f"{server.url}/_sandbox/conversations/acmecare/ada_l", f"?token={server.token}")
            shoot(tab, "conversation-desktop.png", DESK)
            shoot(tab, "conversation-phone.png", PHONE, dark=True, mobile=True)


if __name__ == "__main__":
    main()
