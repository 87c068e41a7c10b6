"""Run eSpeak NG's library once: `python espeak_process.py speak|transcribe`.

It reads {library, data, language, text} as JSON from standard input and writes a WAV file, or
[[letters, punctuation mark], ...] as JSON, to standard output. It uses the standard library alone,
so that it starts at once.
"""

import ctypes
import io
import json
import re
import sys
import wave

SYNCHRONOUS = 2  # returns samples and opens no sound device
DO_NOT_EXIT = 0x8000  # return errors
UTF8 = 1  # without the flags for SSML and for phonemes in [[ ]]: both are said as plain text
IPA = 2
# The last mark of a clause; the library has read a character or two of the next one.
LAST_MARK = re.compile(r"([.,;:!?…—])[\"'’”»)\]]*(?:\s+\S{0,2})?$")
CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    espeak = ctypes.CDLL(request["library"])
    data = request["data"] and request["data"].encode()
    rate = espeak.espeak_Initialize(SYNCHRONOUS, 0, data, DO_NOT_EXIT)
    if rate <= 0:
        sys.exit("its data was not found")
    if espeak.espeak_SetVoiceByName(request["language"].encode()) != 0:
        sys.exit(f"it has no voice {request['language']}")
    text = request["text"].encode()
    if sys.argv[1] == "transcribe":
        answer = json.dumps(transcribe(espeak, text)).encode()
    else:
        answer = speak(espeak, text, rate)
    sys.stdout.buffer.write(answer)


def speak(espeak: ctypes.CDLL, text: bytes, rate: int) -> bytes:
    """Say a text, and return a WAV file."""
    parts = []

    def receive(samples: ctypes._Pointer, count: int, events: int) -> int:
        del events
        if count:
            parts.append(ctypes.string_at(samples, 2 * count))
        return 0  # go on

    callback = CALLBACK(receive)
    espeak.espeak_SetSynthCallback(callback)
    size = ctypes.c_size_t(len(text) + 1)
    if espeak.espeak_Synth(text, size, 0, 1, 0, UTF8, None, None) != 0:
        sys.exit("the synthesis failed")
    espeak.espeak_Synchronize()
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(parts))
    return file.getvalue()


def transcribe(espeak: ctypes.CDLL, text: bytes) -> list[tuple[str, str]]:
    """Return the phonetic letters and the punctuation mark of each clause."""
    espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
    buffer = ctypes.create_string_buffer(text)
    start = ctypes.addressof(buffer)
    place = ctypes.c_void_p(start)  # of the next clause; None after the last
    clauses, done = [], 0
    while place.value:
        letters = espeak.espeak_TextToPhonemes(ctypes.byref(place), UTF8, IPA)
        end = place.value - start if place.value else len(text)
        mark = LAST_MARK.search(text[done:end].decode(errors="ignore"))
        clauses.append((letters.decode() if letters else "", mark[1] if mark else ""))
        done = end
    return clauses


if __name__ == "__main__":
    main()
