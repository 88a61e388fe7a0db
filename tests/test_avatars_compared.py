"""Is it the same face? A live picture against the one that was prepared from the roster."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from profilectl import avatars
from profilectl.cli.portraits import initials_portrait, photograph_like_portrait
from profilectl.errors import AvatarRefused
from profilectl.sandbox.media import reencode


def prepared(folder, content):
    (folder / "face").write_bytes(content)
    return avatars.prepare(folder, avatars.inspect(folder, "face"))


def smaller(content):
    target = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.resize((128, 128)).save(target, "JPEG", quality=60)
    return target.getvalue()


@pytest.mark.parametrize("encode", [reencode, smaller])
@pytest.mark.parametrize("content", [photograph_like_portrait(3, (600, 800)), initials_portrait("Alice F.")])
def test_a_copy_that_was_encoded_anew_is_the_same_face(tmp_path, content, encode):
    """Whatever size and quality it is served in, a few bits differ at most."""
    face = prepared(tmp_path, content)
    live = avatars.perceptual_hash(encode(face.content), "live")

    assert (live ^ face.perceptual_hash).bit_count() <= 3


def test_another_picture_is_another_face(tmp_path):
    """A photograph and initials have little in common."""
    face = prepared(tmp_path, photograph_like_portrait(3, (600, 800)))
    live = avatars.perceptual_hash(initials_portrait("Alice F."), "live")

    assert (live ^ face.perceptual_hash).bit_count() > 10


@pytest.mark.parametrize("content", [b"", b"<html>", initials_portrait("A")[:200]])
def test_what_is_no_picture_has_no_face(content):
    """The refusal calls it by the name that was given, made visible."""
    with pytest.raises(AvatarRefused, match="picture live<U\\+202E>"):
        avatars.perceptual_hash(content, "live\u202e")
