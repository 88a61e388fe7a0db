"""A face keeps its colours on a terminal that has few of them."""

from __future__ import annotations

import pytest

from profilectl.render.bubbles.colours import nearest


@pytest.mark.parametrize(
    ("expected", "pixel"),
    [(16, (0, 0, 0)), (231, (255, 255, 255)), (196, (255, 0, 0)), (244, (128, 128, 128)), (137, (175, 135, 95))],
)
def test_what_the_terminal_has_is_itself(expected, pixel):
    """Of xterm's fixed colours."""
    assert expected == nearest(pixel, is_standard=False)


def test_the_shadows_of_a_skin_stay_brown():
    """Each part rounded by itself made them olive: green as strong as red."""
    numbers = [nearest((red, red * 3 // 4, red * 11 // 20), is_standard=False) for red in range(60, 250, 5)]
    cube = [divmod(number - 16, 36) for number in numbers if 16 <= number < 232]

    assert [] == [number for number, (red, rest) in zip(numbers, cube, strict=False) if rest // 6 > red]
    assert 5 < len(set(numbers))


def test_sixteen_colours_are_enough_for_a_disc():
    """Black, white, and something in between."""
    assert [0, 15, 9] == [nearest(pixel, is_standard=True) for pixel in ((0, 0, 0), (255, 255, 255), (250, 10, 10))]
