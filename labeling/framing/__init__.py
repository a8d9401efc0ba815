"""Labels of stills: the file that they are kept in, and the page that asks for them."""
