"""The curator's pages: a NiceGUI shell around static ES-module elements that speak to the API."""
