"""The public downloads: where each comes from, its licence, and where to put it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """A public data set to be downloaded by hand.

    Attributes:
        title: official name.
        page: official page; the files are named there.
        licence: its terms.
        files: which files to fetch.
        layout: what has to be in `DOWNLOADS/<key>/`, after unpacking.
        output: what is written to the data folder.
    """

    title: str
    page: str
    licence: str
    files: str
    layout: str
    output: str

    def instructions(self, key: str) -> str:
        """Format what to fetch and where to put it."""
        return (
            f"  {self.title} ({self.licence})\n"
            f"  from {self.page}: {self.files}\n"
            f"  unpacked as DOWNLOADS/{key}/{self.layout}"
        )


DOWNLOADS = {
    "grid": Download(
        title="The Grid Audio-Visual Speech Corpus",
        page="https://zenodo.org/records/3625687",
        licence="CC BY 4.0",
        files="s1.zip (video), those of other speakers, and alignments.zip",
        layout="**/sN/CLIP.mpg and **/sN/CLIP.align",
        output="grid_s1/ and grid_speakers/",
    ),
    "facegood": Download(
        title="FACEGOOD-Audio2Face",
        page="https://github.com/FACEGOOD/FACEGOOD-Audio2Face",
        licence="MIT",
        files="the whole repository",
        layout="code/train/ with wav/, bs_value/ and shirley_1119_bs_name.npy",
        output="facegood/",
    ),
    "librispeech": Download(
        title="LibriSpeech ASR corpus",
        page="https://www.openslr.org/12",
        licence="CC BY 4.0",
        files="train-clean-100.tar.gz",
        layout="**/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac",
        output="speech/librispeech/",
    ),
    "speechocean762": Download(
        title="speechocean762",
        page="https://www.openslr.org/101",
        licence="free for commercial and non-commercial use",
        files="speechocean762.tar.gz",
        layout="**/{train,test}/ with wav.scp, text, utt2spk, spk2age and spk2gender, and WAVE/",
        output="speech/speechocean762/",
    ),
    "librivox": Download(
        title="LibriVox recordings with phone times, of CMU Sphinx's tests",
        page="https://github.com/cmusphinx/pocketsphinx",
        licence="public domain; alignments BSD-2-Clause",
        files="the whole repository",
        layout="**/NAME.phone.json beside NAME.wav",
        output="speech/librivox_phones/ (evaluation only)",
    ),
}
