std = "luajit+busted"
codes = true
max_line_length = 120
unused_args = false
self = false
globals = { "G_reader_settings", "G_defaults", "T" }
