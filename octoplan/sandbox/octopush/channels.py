"""The channels, by the wire's word for them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from octoplan.sandbox.octopush.mail import MAIL
from octoplan.sandbox.octopush.rcs import RCS
from octoplan.sandbox.octopush.sms import SMS
from octoplan.sandbox.octopush.voice import VOICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from octoplan.sandbox.octopush.channel import Channel

CHANNELS: Mapping[str, Channel] = MappingProxyType({"sms": SMS, "voice_sms": VOICE, "rcs": RCS, "email": MAIL})
