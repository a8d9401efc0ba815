"""Whether what scores is better than chance here: what curators said of clips that were asked for by chance."""
