"""Points as an image of their colours: a pixel with a point is lit, so no extreme is lost at any zoom.

Points of a later rank lie over those of an earlier one: errors are seen among any number of others.
"""

import numpy as np
import numpy.typing as npt

Window = tuple[float, float, float, float]


def point_image(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    rank: npt.NDArray[np.integer],
    colours: npt.NDArray[np.uint32],
    window: Window,
    size: tuple[int, int],
) -> npt.NDArray[np.uint32]:
    """Returns the image, uint32[width, height], 0 where there is no point.

    `rank` is that of each point, `colours` the colour of each rank, `window` left, right, bottom and top,
    `size` width and height in pixels. Points outside the window are left out.
    """
    (left, right, bottom, top), (width, height) = window, size
    image = np.zeros(width * height, np.uint32)
    if right <= left or top <= bottom:
        return image.reshape(size)
    column = ((x - left) * (width / (right - left))).astype(np.int32)
    line = ((y - bottom) * (height / (top - bottom))).astype(np.int32)
    inside = (x >= left) & (column < width) & (y >= bottom) & (line < height)
    if inside.all():
        cell, kept = column * height + line, rank
    else:
        cell, kept = column[inside] * height + line[inside], rank[inside]
    highest = np.zeros(width * height, np.uint8)
    for number in range(len(colours)):
        highest[cell[kept == number]] = number + 1
    lit = highest > 0
    image[lit] = colours[highest[lit] - 1]
    return image.reshape(size)
