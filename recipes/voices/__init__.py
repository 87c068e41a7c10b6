"""How the vectors of Kokoro's voices, `jambatalk/voices/kokoro_voices.safetensors`, were made."""
