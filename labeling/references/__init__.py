"""references finds where a trailer, promo or edit list takes its pictures from in the film: labels without clicks."""
