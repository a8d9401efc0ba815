"""Training runs: started, watched, cancelled."""
