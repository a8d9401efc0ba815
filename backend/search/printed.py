"""Found shots on a terminal."""

from rich.console import Console
from rich.text import Text

from backend.clock import clock
from backend.search.shapes import Found, Similar, Words


def show(found: Similar | Words) -> None:
    """One line a shot, with its address (for --like), when it is, the score and why it was found."""
    out = Console(highlight=False)
    for hit in found.items:
        address, at = f"{hit.movie_id}:{hit.shot}", f"{clock(hit.start_s)} – {clock(hit.end_s)}"
        line = Text(f"{hit.score:4.2f}  {at:<17} {address:<9} ")
        line.append(hit.movie_title, style="bold")
        line.append(f"  {_why(hit.found_by[0])}", style="dim")
        out.print(line, soft_wrap=True)
    if not found.items:
        out.print("Nothing was found.")
    if isinstance(found, Words) and found.note:
        Console(stderr=True, highlight=False).print(Text(f"Note: {found.note}", style="yellow"), soft_wrap=True)


def _why(reason: Found) -> str:
    return {"dialogue": f"“{reason.text}”", "label": f"may show: {reason.text}", "look": "looks like it"}[reason.by]
