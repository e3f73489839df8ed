"""What is known of people by number says nothing of them by e-mail."""

from __future__ import annotations

import pytest

from campaigns import campaign
from octoplan.core.model import Channel
from octoplan.core.rules import reach


@pytest.mark.parametrize(
    ("channel", "begun", "rules"),
    [
        (Channel.EMAIL, "sms", ["other-address"]),
        (Channel.SMS, "email", ["other-address"]),
        (Channel.RCS, "sms", []),
        (Channel.EMAIL, "email", []),
        (Channel.EMAIL, None, []),
    ],
)
def test_only_another_kind_of_address_is_told(channel: Channel, begun: str | None, rules: list[str]) -> None:
    made = campaign(channel=channel)
    assert [found.rule for found in reach.check_edition(made, begun)] == rules
    assert [found.rule for found in reach.check_excluded(made, [("other", begun)])] == rules
