// Replaces Gradio's "queue: 2/3 | 5.7/20.3s" by words; page.css shows the attribute in its place.
() => {
  const PATTERN = /^(?:queue: (\d+)\/\d+ \||processing \|)?\s*([\d.]+)(?:\/([\d.]+))?s$/;

  function describe(text) {
    const match = PATTERN.exec(text.trim());
    if (!match) return text;
    const [, position, elapsed, expected] = match;
    const rest = expected && Math.max(1, Math.round(expected - elapsed));
    if (!position) return rest ? `about ${rest} s` : `${Math.round(elapsed)} s`;
    const place = position === "1" ? "You are next" : `You are number ${position} in the queue`;
    return rest ? `${place}, about ${rest} s` : place;
  }

  new MutationObserver(() => {
    for (const element of document.querySelectorAll(".progress-text.meta-text"))
      element.dataset.text = describe(element.textContent);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
