std = "luajit"
codes = true
max_line_length = 120
unused_args = false
self = false
read_globals = { "G_reader_settings", "G_defaults" }
exclude_files = { "**/l10n/**" }
