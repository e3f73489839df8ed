"""What Octopush does not have: it would be ignored, so it is refused."""

from __future__ import annotations

from dataclasses import replace

from campaigns import campaign
from octoplan.core.message import Audio, Message
from octoplan.core.model import Audience, Callback, Channel, Options
from octoplan.providers.octopush import Octopush

OCTOPUSH = Octopush()


def test_what_only_another_provider_has_is_refused() -> None:
    hook = Callback(url="https://hooks.acme.fr/calls")
    everything = campaign(
        channel=Channel.VOICE,
        message=Message(audio=Audio(url="https://media.acme.fr/a.wav", sha256="0" * 64)),
        audience=Audience(address="phone_number", country="FR", groups=("gold",)),
        options=Options(
            collect_keys=True,
            key_wait_seconds=3,
            ring_seconds=30,
            respect_quiet_hours=False,
            callback=hook,
            campaign_callback=hook,
        ),
    )
    found = OCTOPUSH.check(everything)
    assert [(one.rule, ".".join(map(str, one.path))) for one in found] == [
        ("source", "audience.groups"),
        ("wrong-value", "message.audio"),
        ("wrong-value", "options.key_wait_seconds"),
        ("wrong-value", "options.ring_seconds"),
        ("wrong-value", "options.respect_quiet_hours"),
        ("wrong-value", "options.callback"),
        ("wrong-value", "options.campaign_callback"),
    ]
    assert all("octopush" in one.message and "routee" in one.hint for one in found)
    for channel in Channel:
        ids = Audience(address="phone_number", country="FR", contact_ids=("6d2a4c1e",))
        found = OCTOPUSH.check(replace(everything, channel=channel, audience=ids))
        assert (found[0].rule, found[0].path) == ("source", ("audience", "contact_ids"))
