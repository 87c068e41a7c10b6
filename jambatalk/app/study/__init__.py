"""A blind user study: which of two videos of the same sentence has the better lips?"""
