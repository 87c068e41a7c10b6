// Files that are dropped on the page, or pasted, become the voice; a captured motion has its place.

const TRIES = 40, PERIOD = 50; // milliseconds in which Gradio shows its input

const find = (selector) => document.querySelector(selector);

// Each of them is told by `onFile` first.
export function acceptFiles(onFile) {
  const take = (event, [file]) => {
    event.preventDefault();
    event.stopPropagation();
    onFile();
    useFile(file);
  };
  const over = (on) => find("#viewer")?.classList.toggle("drop", on);
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // or the browser would open the file
    over(true);
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || over(false));
  document.addEventListener("drop", (event) => {
    over(false);
    if (hasFiles(event) && !event.target.closest("#truth")) take(event, event.dataTransfer.files);
  }, true);
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) take(event, event.clipboardData.files);
  });
}

// Give a file to Gradio's input for it.
async function useFile(file) {
  const isVideo = file.type.startsWith("video/");
  if (!isVideo) await showUpload();
  const input = await present(isVideo ? "#video-upload input" : "#voice input[type=file]");
  const files = new DataTransfer();
  files.items.add(file);
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

async function showUpload() {
  find("#voice .top-panel button")?.click(); // clears the voice before
  (await present("#voice [data-testid=source-select] button")).click();
}

async function present(selector) {
  for (let tried = 0; tried < TRIES && !find(selector); tried++)
    await new Promise((resolve) => setTimeout(resolve, PERIOD));
  return find(selector);
}
