// Replying: a line in the form says whose message its words are to. The draft keeps that, and so does a message that
// waits in the outbox. Nothing is kept of the other message but its id.

import { button, drawer as store } from "./outbox.js";
import { t } from "./words.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("composer"));
const box = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#composer textarea"));
const as = form?.querySelector("input[name=as]")?.getAttribute("value") ?? "";
const kept = `${form?.dataset.board ?? ""}draft/${as}/reply`;
const line = document.createElement("p");
line.className = "replying";

import("./quotes.js").catch(() => {}); // it has the style sheet

// After the composer has taken the words; it leaves them in the box if they are refused.
form?.addEventListener("submit", () => box?.value || show(""));
box?.addEventListener("keydown", ({ key }) => key === "Escape" && !box.value && show(""));
addEventListener("storage", ({ key, newValue }) => key === kept && show(newValue ?? ""));

/**
 * Begins a reply to a message on this page, in the box that has the focus already. Does nothing where nobody can write.
 * @param {Element} article
 */
export function startReply(article) {
  reply(article.id.slice(1));
  box?.scrollIntoView({ block: "nearest" }); // where the form stays in view, nothing moves
}

/**
 * Lets the words in the box be a reply.
 * @param {string} id
 */
export function reply(id) {
  store.put(kept, id);
  show(id);
}

/**
 * Shows which message the words reply to, or nothing if it is none.
 * @param {string} id
 */
function show(id) {
  if (!form) return;
  if (!id) {
    delete form.dataset.replyTo;
    store.put(kept, "");
    line.remove();
    return;
  }
  form.dataset.replyTo = id;
  const [link, label] = [document.createElement("a"), document.createElement("span")];
  link.href = `/m/${id}`;
  const names = [...document.querySelectorAll(`#m${id} header bdi`)];
  label.textContent = names.length ? t("Replying to") : t("Replying to a message");
  link.append(label);
  for (const name of names) link.append(" ", name.cloneNode(true));
  const end = button(t("Cancel reply"), () => (show(""), box?.focus()));
  line.replaceChildren(link, end);
  form.prepend(line);
}
