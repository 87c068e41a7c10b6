"""The head that moves while somebody speaks: a socket for the sound, and the page's WebGL head."""
