"""How far curators agree, where two were asked the same on purpose."""
