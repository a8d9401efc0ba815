"""The shell that every page has: rail, project switcher, who is signed in; the static element fills the rest."""

from nicegui import ui

from labeling.web.boot import Boot

PAGES = (
    ("/", "library", "Library"),
    ("/review", "review", "Review"),
    ("/board", "board", "Board"),
    ("/search", "search", "Search"),
    ("/lists", "lists", "Lists"),
    ("/models", "models", "Models"),
)


def frame(boot: Boot) -> None:
    """Draw the shell around the element that shows the page."""
    _head(boot)
    quasar_page = ui.context.client.content.parent_slot
    if quasar_page is not None:
        quasar_page.parent.props("role=presentation")  # rail and tray are no part of the main thing
    with ui.element("div").classes("shell"):
        ui.html('<a class="skip" href="#main">Skip to the page</a>', sanitize=False)
        with ui.element("div").classes("rail"):
            _projects(boot)
            with ui.element("nav").props('aria-label="Pages"').classes("rail-pages"):
                for address, icon, name in PAGES:
                    _entry(boot, address, icon, name)
            _person(boot)
        ui.element("selects-app").props('id="main" role="main" tabindex="-1"')
        ui.element("selects-tray")
        ui.element("selects-toasts")


def _head(boot: Boot) -> None:
    static = boot.static
    ui.add_head_html(
        f'<link rel="stylesheet" href="{static}/tokens.css"><link rel="stylesheet" href="{static}/shell.css">'
        f'<link rel="stylesheet" href="{static}/pages.css"><link rel="stylesheet" href="{static}/film.css">'
        f'<link rel="stylesheet" href="{static}/review.css"><link rel="stylesheet" href="{static}/models.css">'
        f'<link rel="stylesheet" href="{static}/board.css"><link rel="stylesheet" href="{static}/lists.css">'
        f'<script type="application/json" id="boot">{boot.as_json}</script>'
        f'<script type="module" src="{static}/app.js"></script>'
    )


def _projects(boot: Boot) -> None:
    with ui.element("div").classes("rail-project"):
        if boot.projects:
            names = {project["id"]: project["name"] for project in boot.projects}
            chosen = ui.select(names, value=boot.project, label="Project").props(
                'dense borderless options-dense hide-bottom-space popup-content-class="menu-popup"'
            )
            chosen.on_value_change(lambda event: _say("project", event.value))


def _entry(boot: Boot, address: str, icon: str, name: str) -> None:
    with ui.element("a").props(f'href="{address}" data-page="{icon}"').classes("rail-entry"):
        _icon(boot, icon)
        ui.label(name)


def _person(boot: Boot) -> None:
    with ui.element("button").props('type="button" aria-haspopup="menu"').classes("rail-entry rail-person"):
        _icon(boot, "person")
        ui.label(boot.person)
        with ui.menu().props('anchor="top right" self="bottom left" auto-close').classes("menu-popup"):
            if boot.superuser:
                ui.menu_item("New project …", lambda: _say("new-project", None))
            ui.menu_item("People and tokens", lambda: _say("people", None))
            ui.menu_item("API reference", lambda: ui.navigate.to("/docs"))
            ui.menu_item("Sign out", lambda: _say("sign-out", None))


def _icon(boot: Boot, name: str) -> None:
    ui.html(f'<svg class="icon" aria-hidden="true"><use href="{boot.static}/icons.svg#{name}"/></svg>', sanitize=False)


def _say(what: str, detail: int | None) -> None:
    """Tell the static elements of the page."""
    ui.run_javascript(f"document.dispatchEvent(new CustomEvent('selects:{what}', {{detail: {detail or 'null'}}}))")
