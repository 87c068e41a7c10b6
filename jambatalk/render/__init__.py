"""Offscreen OpenGL rendering of heads, frame by frame and as MP4 videos."""
