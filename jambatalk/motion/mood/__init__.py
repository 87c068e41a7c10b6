"""Mood: what the face and its manner of moving show beside what the lips say."""

from jambatalk.motion.mood.course import Mood, MoodCourse, SteadyMood, check_mood
from jambatalk.motion.mood.expression import express
from jambatalk.motion.mood.postures import MAX_INTENSITY, MOODS, VOICE

__all__ = [
    "MAX_INTENSITY",
    "MOODS",
    "VOICE",
    "Mood",
    "MoodCourse",
    "SteadyMood",
    "check_mood",
    "express",
]
