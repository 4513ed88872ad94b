"""Contact sheets: every picture is on the page, in its place."""

from PIL import Image

from zoetrope.media.sheet import Tile, contact_sheet


def test_rows_stand_below_each_other_and_short_ones_in_the_middle() -> None:
    red, blue = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    sheet = contact_sheet("Ada", [[Tile(red, "one")] * 3, [Tile(blue, "two")]], side=40)
    middle = sheet.width // 2
    column = [sheet.getpixel((middle, y)) for y in range(sheet.height)]
    assert column.count((255, 0, 0)) == column.count((0, 0, 255)) == 40
    assert column.index((255, 0, 0)) < column.index((0, 0, 255))
    left = [sheet.getpixel((30, y)) for y in range(sheet.height)]
    assert (255, 0, 0) in left
    assert (0, 0, 255) not in left
