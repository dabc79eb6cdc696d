"""How right a run is: against a truth, without any, and which settings would do better."""
