"""A timestamp is of one note, and of somebody who is believed; the authority is OpenSSL's."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from profilectl.audit.timestamps import NoTimestamp, moment_of, query_about, read_authorities
from profilectl.errors import InputRefused
from tests.timestamp_server import Authority

NOTE = b"profilectl/ledger/ab\n2\nAAAA\n\n- signature\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def answer(authority):
    return authority.answer(query_about(NOTE).content)


@pytest.fixture(scope="module")
def believed(authority):
    return read_authorities(authority.root.read_bytes())


def test_a_timestamp_names_a_moment(answer, believed):
    """To whoever believes its authority, and to whoever doesn't look at that."""
    moments = [moment_of(answer, NOTE, authorities) for authorities in (believed, None)]
    assert moments[0] == moments[1]
    assert abs(datetime.now(UTC) - moments[0]) < timedelta(minutes=10)


def test_openssl_verifies_what_is_kept(authority, answer, tmp_path):
    """Nobody needs profilectl for it."""
    (tmp_path / "note").write_bytes(NOTE)
    (tmp_path / "note.tsr").write_bytes(answer)
    words = ["openssl", "ts", "-verify", "-data", "note", "-in", "note.tsr", "-CAfile", authority.root]
    assert 0 == subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode


def test_another_text_has_no_timestamp(answer, believed):
    """One letter is enough."""
    with pytest.raises(NoTimestamp, match="it is of another text"):
        moment_of(answer, NOTE.replace(b"2", b"3"), believed)


def test_an_answer_to_another_query_is_refused(authority, believed):
    """As one that somebody kept and plays again."""
    query = query_about(NOTE)
    answer = authority.answer(query.content)
    assert moment_of(answer, NOTE, believed, query.nonce)
    with pytest.raises(NoTimestamp, match="it answers another query"):
        moment_of(answer, NOTE, believed, query_about(NOTE).nonce)


def test_a_stranger_s_word_counts_for_nothing(answer, tmp_path):
    """Unless nobody looks at who signed."""
    stranger = read_authorities(Authority(tmp_path / "other").root.read_bytes())
    with pytest.raises(NoTimestamp, match="timestamp_ca"):
        moment_of(answer, NOTE, stranger)


def test_a_changed_moment_is_noticed(answer, believed):
    """The time stands in what is signed."""
    year = answer.index(b"Z", answer.index(b"20")) - 14
    backdated = answer[:year] + b"2019" + answer[year + 4 :]
    assert 2019 == moment_of(backdated, NOTE, None).year
    with pytest.raises(NoTimestamp, match="timestamp_ca"):
        moment_of(backdated, NOTE, believed)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x30\x80", bytes(100)])
def test_what_is_no_timestamp_says_so(content):
    """A captive portal answers with a page."""
    with pytest.raises(NoTimestamp, match="it is no timestamp"):
        moment_of(content, NOTE, None)


def test_a_refusal_says_so(tmp_path):
    """An authority that doesn't take SHA-256."""
    strict = Authority(tmp_path / "strict", digests="sha512")
    with pytest.raises(NoTimestamp, match="the server gave none: rejection"):
        moment_of(strict.answer(query_about(NOTE).content), NOTE, None)


def test_a_file_without_certificates_is_refused():
    """Rather than believed to be none."""
    with pytest.raises(InputRefused, match="holds no certificate in PEM"):
        read_authorities(b"-----BEGIN CERTIFICATE-----\n")
