"""Published data sets: read, checked, and made into tables and snapshots; nothing is made up that they do not hold."""
