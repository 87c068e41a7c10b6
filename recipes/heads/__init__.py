"""How assets/heads is made from CC0 MakeHuman data; never needed to run the app."""
