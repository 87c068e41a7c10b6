"""The network: configuration, speech encoders, Mamba, attention, experts, decoders, streaming."""
