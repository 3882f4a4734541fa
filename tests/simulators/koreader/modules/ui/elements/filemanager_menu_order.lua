-- The entries of the Tools menu, in order (koreader.md 3.3). Process-wide: whoever changes it changes it for all.
return {
    ["KOMenu:menu_buttons"] = { "setting", "tools", "search", "main" },
    tools = {
        "read_timer",
        "calibre",
        "exporter",
        "statistics",
        "cloudstorage",
        "move_to_archive",
        "wallabag",
        "news_downloader",
        "text_editor",
        "profiles",
        "qrclipboard",
        "----------------------------",
        "more_tools",
    },
    more_tools = { "plugin_management", "advanced_settings" },
}
