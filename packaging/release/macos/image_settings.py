"""The look of the disk image, as dmgbuild reads it: the program, and to its right the folder to drag it to.

dmgbuild runs this file with `defines` (its -D options): `app` is the bundle's path.
"""

app = defines["app"]  # type: ignore[name-defined] # noqa: F821
_name = app.rsplit("/", 1)[-1]

format = "UDZO"
compression_level = 9
files = [app]
symlinks = {"Applications": "/Applications"}
icon_locations = {_name: (150, 180), "Applications": (450, 180)}
background = "builtin-arrow"
window_rect = ((200, 160), (600, 400))
icon_size = 112
text_size = 13
default_view = "icon-view"
show_icon_preview = False
show_status_bar = False
show_toolbar = False
show_sidebar = False
