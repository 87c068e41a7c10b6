// The page of a study: the server says which pair is next, and takes the answers.

const NAME = "jambatalk-participant";
const SIDES = ["left", "right"];
const HINT = "Play A and B to their ends; then the questions open.";
const KEYS = "Arrow keys answer: left is A, right is B.";

const find = (id) => document.getElementById(id);
const [welcome, pair, end, problem, hint, next] =
  ["welcome", "pair", "end", "problem", "hint", "next"].map(find);
const videos = [...document.querySelectorAll("video")];
const players = [...document.querySelectorAll(".play")];
const fieldsets = [...document.querySelectorAll("fieldset")];
const hasKeys = matchMedia("(hover: hover)").matches;
let participant = remembered(), state = null, seen = [];

// Ask the server, and show the sentence with which it refuses.
async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: body ? "POST" : "GET", body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The study does not answer. Check the connection and try again.");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw Object.assign(new Error(told.detail ?? "The study cannot go on now. Try again later."), {
      status: answer.status,
    });
  return told;
}

async function guarded(work) {
  problem.hidden = true;
  try {
    await work();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    problem.scrollIntoView({ block: "nearest" });
    if (error.status === 404) restart();
  }
}

// Show the next pair, or the end.
function show(told) {
  state = told;
  const over = told.done === told.trials;
  welcome.hidden = true;
  pair.hidden = over;
  end.hidden = !over;
  videos.forEach((video) => video.pause());
  if (over) {
    find("code").textContent = participant;
    end.focus();
    return;
  }
  pair.reset();
  seen = [false, false];
  find("place").textContent = `Pair ${told.done + 1} of ${told.trials}`;
  Object.assign(find("progress"), { max: told.trials, value: told.done });
  videos.forEach((video, side) => { video.src = told[SIDES[side]]; });
  update();
  scrollTo(0, 0);
  find("place").focus({ preventScroll: true });
}

function update() {
  const open = seen.every(Boolean);
  for (const fieldset of fieldsets) fieldset.disabled = !open;
  next.disabled = !open || !unanswered().every((answered) => answered);
  hint.textContent = open ? (hasKeys ? KEYS : "") : HINT;
  players.forEach((button, side) => {
    const letter = "AB"[side], playing = !videos[side].paused;
    button.textContent = playing ? `Stop ${letter}` : seen[side] ? `Play ${letter} again` : `Play ${letter}`;
  });
}

const unanswered = () => fieldsets.map((fieldset) => fieldset.querySelector(":checked"));

// Play one video from its start, alone; or stop it.
function toggle(side) {
  const video = videos[side], wasPlaying = !video.paused;
  videos.forEach((other) => other.pause());
  if (wasPlaying) return;
  video.currentTime = 0;
  video.play().catch((error) => {
    if (error.name !== "AbortError") fail();
  });
}

function fail() {
  problem.textContent = "A video could not be played. Reload the page.";
  problem.hidden = false;
}

videos.forEach((video, side) => {
  video.addEventListener("click", () => toggle(side));
  video.addEventListener("ended", () => { seen[side] = true; });
  video.addEventListener("error", fail);
  for (const event of ["play", "pause", "ended"]) video.addEventListener(event, update);
  players[side].addEventListener("click", () => toggle(side));
});

pair.addEventListener("change", update);

pair.addEventListener("submit", (event) => {
  event.preventDefault();
  if (next.disabled) return;
  next.disabled = true; // one answer, however often it is pressed
  const answers = Object.fromEntries(new FormData(pair));
  guarded(async () => {
    try {
      show(await ask(`participants/${participant}`, { ...answers, trial: state.done }));
    } finally {
      if (!pair.hidden) update();
    }
  });
});

// Arrow keys answer the first question that is open, wherever the focus is; then Enter goes on.
document.addEventListener("keydown", (event) => {
  const side = ["ArrowLeft", "ArrowRight"].indexOf(event.key);
  if (side < 0 || pair.hidden || event.target.type === "radio" || event.altKey || event.ctrlKey || event.metaKey)
    return;
  const open = unanswered().indexOf(null);
  if (open < 0 || fieldsets[open].disabled) return;
  event.preventDefault();
  fieldsets[open].querySelector(`[value=${SIDES[side]}]`).checked = true;
  update();
  if (!next.disabled) next.focus();
});

find("begin").addEventListener("click", () =>
  guarded(async () => {
    ({ participant } = await ask("participants", {}));
    remember(participant);
    show(await ask(`participants/${participant}`));
  }));

function restart() {
  remember("");
  participant = "";
  pair.hidden = true;
  welcome.hidden = false;
}

// Storage may be forbidden: then a reload begins anew.
function remembered() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return "";
  }
}

function remember(name) {
  try {
    sessionStorage.setItem(NAME, name);
  } catch {
    // see above
  }
}

if (participant) guarded(async () => show(await ask(`participants/${participant}`)));
