// The player's controls: buttons, keys, the place in the recording, its waveform, captions.

import { Waveform } from "./waveform.js";

const STEP = 1; // seconds per arrow key
const SLOW = 0.5; // of the normal speed
const CLOSE = 3; // zoom of the close-up

const element = (name) => document.getElementById(`viewer-${name}`);

// Connect the controls of the page with a player, as soon as they are there.
export function connectTransport(player, viewer) {
  const { sound } = player, waveform = new Waveform(player);
  const buttons = {
    play: () => player.toggle(),
    unmute: () => player.unmute(),
    loop: () => { sound.loop = !sound.loop; },
    slow: () => { // of the next recordings too: loading one takes up the default
      sound.defaultPlaybackRate = sound.playbackRate = sound.playbackRate === 1 ? SLOW : 1;
    },
    close: () => viewer.orbit?.zoomTo(isClose(viewer) ? 1 : CLOSE),
    single: () => player.toggleSingle(),
    next: () => player.switch(),
    full: () => (document.fullscreenElement ? document.exitFullscreen()
      : document.getElementById("viewer").requestFullscreen()),
  };
  const update = () => element("play") && show(player, viewer);
  document.addEventListener("click", ({ target }) => {
    const name = target.closest?.("#viewer button")?.id.replace("viewer-", "");
    buttons[name]?.();
    update();
  });
  document.addEventListener("input", ({ target }) => {
    if (target.id === "viewer-seek") player.seek(Number(target.value));
  });
  document.addEventListener("keydown", (event) => press(event, player));
  player.addEventListener("update", update);
  return waveform;
}

// Keys work on the viewer, and where nothing has the focus.
function press(event, player) {
  const { target, key } = event;
  const free = target === document.body || target.id === "viewer-stage";
  if (!free || !player.clip || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === " ") player.toggle();
  else if (key === "b") player.switch();
  else if (key === "ArrowLeft") player.seek(player.sound.currentTime - STEP);
  else if (key === "ArrowRight") player.seek(player.sound.currentTime + STEP);
  else return;
  event.preventDefault();
}

const isClose = (viewer) => viewer.head?.camera.zoom > 1;

function show(player, viewer) {
  const { sound, clip, playing, duration } = player;
  element("transport").classList.toggle("on", Boolean(clip));
  element("waveform").classList.toggle("on", Boolean(clip));
  element("play").classList.toggle("playing", playing);
  element("play").setAttribute("aria-label", playing ? "Pause the head" : "Play the head");
  const pressed = {
    loop: sound.loop, slow: sound.playbackRate !== 1, close: isClose(viewer),
    single: player.single !== null,
  };
  for (const [name, on] of Object.entries(pressed))
    element(name).setAttribute("aria-pressed", String(on));
  element("full").hidden = !document.fullscreenEnabled;
  element("seek").max = duration.toFixed(2);
  element("seek").value = sound.currentTime;
  element("seek").setAttribute("aria-valuetext", `${sound.currentTime.toFixed(1)} seconds`);
  element("time").textContent = `${clock(sound.currentTime)} / ${clock(duration)}`;
  element("unmute").hidden = !(clip && sound.muted);
  element("caption").textContent = playing ? player.caption : "";
  showTitles(player);
}

// Under each head its style; under one that is seen alone, a button for the next style.
function showTitles(player) {
  const all = player.clip ? player.titles : [], titles = player.seen(all);
  element("single").hidden = all.length < 2;
  const shown = [...element("titles").children].map(({ textContent }) => textContent);
  if (shown.join("\n") !== titles.join("\n"))
    element("titles").replaceChildren(
      ...titles.map((title) => titleElement(title, titles.length < all.length)),
    );
}

function titleElement(title, single) {
  const found = document.createElement(single ? "button" : "span");
  found.textContent = title;
  if (single) Object.assign(found, { type: "button", id: "viewer-next" });
  return found;
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
