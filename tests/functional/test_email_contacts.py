"""Where a person names a contact, an e-mail address will do; it is never repeated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from workspaces import Workspace

from campaigns import PLAIN
from octoplan.core import keys
from octoplan.core.model import AddressKind, Audience, Channel
from octoplan.project import open_project
from octoplan.workflow.names import query
from octoplan.workflow.render import _wanted, masked

if TYPE_CHECKING:
    from pathlib import Path

K = b"k" * 32


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).usual()


def test_status_takes_an_e_mail_address(project: Workspace) -> None:
    project.run("apply")
    assert project.run("status", "--contact", "Zoé <ZOE@café.example>").out == "This contact got nothing.\n"
    assert "accepted" in project.run("status", "--contact", "06 39 98 00 11").out


@pytest.mark.parametrize("address", ["canary@", "canary@acme..example", "canary", "canary@acme.local"])
def test_what_is_no_address_is_not_repeated(project: Workspace, address: str) -> None:
    ended = project.run("status", "--contact", address, code=1)
    assert "neither a phone number nor an e-mail address" in ended.err
    assert "canary" not in ended.out + ended.err
    ended = project.run("render", "noel", "--contact", address, code=1)
    assert "no such contact" in ended.err
    assert "canary" not in ended.out + ended.err


@pytest.mark.parametrize("written", ["Zoe@CAFÉ.example", "zoe@xn--caf-dma.example", "Zoe <zoe@cafe\u0301.example>"])
def test_render_finds_a_contact_by_any_spelling_of_its_address(written: str) -> None:
    mailing = replace(PLAIN, channel=Channel.EMAIL)
    assert _wanted(written, mailing, key=K) == keys.contact_key(K, "zoe@xn--caf-dma.example").hex()
    assert _wanted("AB12", mailing, key=K) == "ab12"


def test_render_masks_whatever_a_recipient_is_addressed_by() -> None:
    body = {
        "channel": "email",
        "recipients": [{"email": "zoe@acme.example"}, {"phone_number": "+33639980012", "x": "y"}],
    }
    shown = {"channel": "email", "recipients": [{"email": "…@…"}, {"phone_number": "+…", "x": "y"}]}
    assert masked(body) == shown
    assert masked({}) == {}


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        (Channel.SMS, AddressKind.PHONE),
        (Channel.VOICE, AddressKind.PHONE),
        (Channel.RCS, AddressKind.PHONE),
        (Channel.EMAIL, AddressKind.EMAIL),
    ],
)
def test_a_channel_decides_what_contacts_are_addressed_by(
    channel: Channel, kind: AddressKind, project: Workspace
) -> None:
    audience = Audience(address="x", country=None, contacts=({"x": "y"},))
    asked = query(open_project(project.root), replace(PLAIN, channel=channel, audience=audience), key=K)
    assert asked.kind is channel.address_kind is kind
