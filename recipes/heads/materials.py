"""The materials of the heads, in the order in which they are drawn, and the atlas of the skin."""

MATERIALS = ("skin", "mouth", "eyes", "brows", "lashes", "clothes", "hair", "beard")

# The skin's picture: ICT-FaceKit's first picture (the face) on the left, its second (the back of
# the head and the neck) at half that size in the upper right corner.
FACE_SIZE = 1024  # pixels
ATLAS = (1024, 1536)  # rows, columns
