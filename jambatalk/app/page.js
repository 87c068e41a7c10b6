// Additions to Gradio, as page.css is to its theme: words in place of "queue: 2/3 | 5.7/20.3s", which
// page.css shows; errors that screen readers announce at once; radio buttons with one tab stop.
() => {
  const PATTERN = /^(?:queue: (\d+)\/\d+ \||processing \|)?\s*([\d.]+)(?:\/([\d.]+))?s$/;
  const ERRORS = "div.validation-error, .toast-body.error";

  function describe(text) {
    const match = PATTERN.exec(text.trim());
    if (!match) return text;
    const [, position, elapsed, expected] = match;
    const rest = expected && Math.max(1, Math.round(expected - elapsed));
    if (!position) return rest ? `about ${rest} s` : `${Math.round(elapsed)} s`;
    const place = position === "1" ? "You are next" : `You are number ${position} in the queue`;
    return rest ? `${place}, about ${rest} s` : place;
  }

  function announce(error) {
    if (error.role === "alert") return;
    error.role = "alert";
    error.scrollIntoView({ block: "nearest" });
  }

  // Arrow keys change the choice within a group, which the browser knows by the buttons' name.
  function group(fieldset, number) {
    for (const radio of fieldset.querySelectorAll("input[type=radio]"))
      if (radio.name !== `choice-${number}`) radio.name = `choice-${number}`;
  }

  new MutationObserver(() => {
    for (const element of document.querySelectorAll(".progress-text.meta-text"))
      element.dataset.text = describe(element.textContent);
    document.querySelectorAll(ERRORS).forEach(announce);
    document.querySelectorAll("fieldset").forEach(group);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
