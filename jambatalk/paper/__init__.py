"""JambaTalk's network as published: its layouts, its weights' names, its lip reader."""
