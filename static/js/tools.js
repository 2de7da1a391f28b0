// The tools at a message: a toolbar at the one that is pointed to or has the focus, and a sheet where one touches. They are
// made when they are first needed, and there is one of each, which goes from message to message.

import { drawer as store } from "./outbox.js";
import { ask, boardsTime, Failure } from "./poller.js";
import { t } from "./words.js";

/**
 * @typedef {Pick<import("./board.js").Board, "show">} Board
 * @typedef {{name: string, label: string, icon: string, isFor(article: HTMLElement): boolean,
 *   act(article: HTMLElement, button: HTMLElement): unknown, emoji?: string}} Action `name` is for styles;
 *   `icon` is a path in a square of 24; `emoji` is the reaction that the button adds or takes back.
 * @typedef {{board: Board, as: string, tell(words: string): void, own(id: string | number): Record<string, string>}} Tools What
 *   an action may need. `own` are the headers by which a guest may still change a message, if it is the guest's own.
 */

const LIMIT_MS = 30_000; // for an answer
const TOLD_MS = 5000; // how long a word about what was done is shown
const LONGEST = 60; // characters of a message by which a question names it

const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
const { me, as = "", deletes, of } = list.dataset; // what the page knows of its reader; nothing for a guest
const touches = matchMedia("(hover: none)");
const PIN = "M9 4h6l-1 6l3 3H7l3-3zM12 13v7";
const LIKE = "👍"; // the same for everybody and always, so that nobody has to look before they press it
const isOpen = () => list.dataset.archived === undefined; // nothing new is written on an archived board
const mayPin = () => deletes !== undefined && isOpen() && of === undefined; // on a message's page, a form does it
const mayReact = () => me !== undefined && isOpen();
const isPinned = (/** @type {HTMLElement} */ { id }) => id === `m${document.getElementById("pinned")?.dataset.id}`;
const isMine = (/** @type {HTMLElement} */ { id, dataset: { by } }) =>
  me === undefined ? "Guest-Secret" in own(id.slice(1)) : by === me;

/**
 * What can be done at a message, in the order in which it is offered. One row is one action: nothing else knows of them.
 * @type {Action[]}
 */
const ACTIONS = [
  {
    name: "reply",
    label: t("Reply"),
    icon: "M10 5L4 11l6 6M4 11h10a6 6 0 0 1 6 6v2",
    isFor: () => of === undefined && document.getElementById("composer") !== null,
    act: answer,
  },
  {
    name: "copy",
    label: t("Copy link"),
    icon: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
    isFor: () => true,
    act: copyLink,
  },
  {
    name: "edit",
    label: t("Edit"),
    icon: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    isFor: (article) => isMine(article) && isOpen(),
    act: edit,
  },
  {
    name: "delete",
    label: t("Delete"),
    icon: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
    isFor: (article) => isMine(article) || deletes !== undefined,
    act: erase,
  },
  {
    name: "pin",
    label: t("Pin"),
    icon: PIN,
    isFor: (article) => mayPin() && !isPinned(article),
    act: (article) => pin(article, "PUT"),
  },
  {
    name: "unpin",
    label: t("Unpin"),
    icon: PIN + "M5 4L19 20",
    isFor: (article) => mayPin() && isPinned(article),
    act: (article) => pin(article, "DELETE"),
  },
  {
    name: "react",
    label: t("React"),
    icon: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M8.500 10h.01M15.500 10h.01M8 14a5 5 0 0 0 8 0",
    isFor: mayReact,
    act: async (article, button) => (await import("./reactions.js")).openPicker(article, button),
  },
  {
    name: "like",
    label: t("Thumbs up"),
    icon: "M8 11v9H4v-9zh0l4-7c2 0 2.500 1 2.500 2.500L14 10h4.500q2 0 1.500 2l-1.500 6.500q-.5 1.500-2 1.500H8",
    isFor: mayReact,
    act: like,
    emoji: LIKE,
  },
  {
    name: "more",
    label: t("More"),
    icon: "M6 12h.01M12 12h.01M18 12h.01",
    isFor: ({ id }) => id !== `m${of}`, // it is the page that is open
    act: (article) => location.assign(linkOf(article).href),
  },
];

/** @type {Tools} */
let tools;
const bar = makeBar();
const told = document.createElement("p");
told.className = "told";
told.setAttribute("role", "status");
document.body.append(told);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let telling;
/** @type {EventTarget | null} What the pointer was over: which tools its message has is asked when that changes. */
let over = null;
for (const name of store.names("own/")) if (!("Guest-Secret" in own(name.slice(4)))) store.put(name, "");
list.addEventListener("pointermove", moved, { passive: true });
list.addEventListener("pointerleave", () => showAt(focused()));
list.addEventListener("focusin", () => showAt(focused()));
list.addEventListener("focusout", left);
list.addEventListener("click", clicked);

/**
 * Begins with what has made the page load this script. From then on, it listens by itself.
 * @param {Board} board
 * @param {Event} event
 */
export function begin(board, event) {
  tools ??= { board, as, tell, own };
  if (event.type === "click") clicked(event);
  else if (event.type === "focusin") showAt(focused());
  else moved(/** @type {PointerEvent} */ (event));
}

/**
 * Does what the tool of this name does.
 * @param {Board} board
 * @param {string} name
 * @param {HTMLElement} article
 * @param {HTMLElement} button What was pressed.
 */
export async function use(board, name, article, button) {
  tools ??= { board, as, tell, own };
  try {
    const action = ACTIONS.find((one) => one.name === name);
    if (action?.isFor(article)) await action.act(article, button);
  } catch (error) {
    tell(inWords(error));
  }
}

/** Likes the message that has the focus, or else the one whose tools are seen: for the key. */
export async function likeThis() {
  const article = focused() ?? articleOf(bar);
  try {
    if (article && mayReact()) await like(article);
  } catch (error) {
    tell(inWords(error));
  }
}

/**
 * @param {string | number} id
 * @returns {Record<string, string>}
 */
function own(id) {
  const [secret, until] = store.get(`own/${id}`).split(" "); // as outbox.js has put it
  return me === undefined && Date.parse(until) > boardsTime() ? { "Guest-Secret": secret } : {};
}

/** @param {EventTarget | null} target */
function articleOf(target) {
  return /** @type {HTMLElement | null} */ (target instanceof Element ? target.closest("#messages > article") : null);
}

function focused() {
  return articleOf(document.activeElement);
}

/** @param {HTMLElement} article */
function linkOf(article) {
  return /** @type {HTMLAnchorElement} */ (article.querySelector(".permalink"));
}

/**
 * Says what was done, to those who see and those who hear.
 * @param {string} words
 */
function tell(words) {
  clearTimeout(telling);
  told.textContent = words;
  telling = setTimeout(() => (told.textContent = ""), TOLD_MS);
}

// --- the toolbar, for a mouse and the keyboard

function makeBar() {
  const bar = document.createElement("div");
  bar.className = "toolbar";
  for (const [name, value] of [
    ["role", "toolbar"],
    ["aria-label", t("Message")],
    ["aria-live", "off"],
  ]) {
    bar.setAttribute(name, value); // the messages are a live region, in which this is no news
  }
  bar.append(...ACTIONS.map((action) => makeButton(action, () => articleOf(bar))));
  bar.addEventListener("keydown", walk);
  return bar;
}

/**
 * @param {Action} action
 * @param {() => HTMLElement | null} find The message that it is for.
 */
function makeButton({ name, label, icon, act, emoji }, find) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.action = name;
  if (emoji) button.dataset.emoji = emoji; // reactions.js presses the buttons that have one
  button.innerHTML = `<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="${icon}"/></svg><span></span>`;
  /** @type {HTMLElement} */ (button.lastElementChild).textContent = button.title = label;
  button.addEventListener("click", async () => {
    const article = find();
    if (!article) return;
    try {
      await act(article, button.closest("dialog") ? linkOf(article) : button); // a sheet is gone by then
    } catch (error) {
      tell(inWords(error));
    }
  });
  return button;
}

/** @param {HTMLElement | null} article */
function showAt(article) {
  if (touches.matches || !article || article.querySelector("form")) return bar.remove();
  const buttons = offer(article);
  if (bar.parentElement === article) return;
  for (const button of buttons) button.tabIndex = -1;
  buttons.filter((button) => !button.hidden)[0].tabIndex = 0; // one stop for the Tab key; arrows lead on
  article.querySelector("header")?.after(bar); // before the links of the message, for the Tab key
}

/**
 * Leaves out what is not for this message, which may have changed since.
 * @param {HTMLElement} article
 */
function offer(article) {
  const buttons = /** @type {HTMLElement[]} */ ([...bar.children]);
  for (const [at, button] of buttons.entries()) {
    const { isFor, emoji } = ACTIONS[at];
    button.hidden = !isFor(article);
    const chip = article.querySelector(`.toggles [data-emoji="${emoji}"]`);
    if (emoji) button.setAttribute("aria-pressed", chip?.getAttribute("aria-pressed") ?? "false");
  }
  return buttons;
}

/** @param {PointerEvent} event */
function moved({ target, pointerType }) {
  const article = articleOf(target);
  if (pointerType === "touch" || !article) return;
  const isSame = target === over;
  over = target;
  if (bar.parentElement === article) return void (isSame || offer(article));
  const old = articleOf(bar);
  if (old && bar.contains(document.activeElement)) linkOf(old).focus({ preventScroll: true });
  showAt(article);
}

/** @param {FocusEvent} event */
function left({ target, relatedTarget }) {
  const article = articleOf(target);
  if (!article?.contains(bar) || article.matches(":hover")) return; // it may have gone to another message by now
  if (!article.contains(/** @type {Node | null} */ (relatedTarget))) bar.remove();
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const buttons = /** @type {HTMLElement[]} */ (
    [...bar.children].filter((one) => !(/** @type {HTMLElement} */ (one).hidden))
  );
  const at = buttons.findIndex((button) => button === document.activeElement);
  const onwards = getComputedStyle(bar).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = onwards === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const article = articleOf(bar);
  const next = {
    [onwards]: buttons[at + 1],
    [back]: buttons[at - 1],
    Home: buttons[0],
    End: buttons[buttons.length - 1],
  }[event.key];
  if (event.key === "Escape" && article) linkOf(article).focus();
  if (!next) return;
  event.preventDefault();
  for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
  next.focus();
}

// --- the sheet, where one touches

/** @param {Event} event */
function clicked(event) {
  const article = articleOf(event.target);
  if (!touches.matches || !article) return;
  const on = /** @type {Element} */ (event.target).closest("a, button, form");
  if (on === linkOf(article)) {
    event.preventDefault();
    openSheet(article);
  } else if (!on && getSelection()?.isCollapsed) linkOf(article).focus({ preventScroll: true }); // which shows its dots
}

/** @param {HTMLElement} article */
function openSheet(article) {
  const sheet = makeDialog("sheet", article.querySelector("header")?.innerText ?? "");
  if (mayReact()) sheet.append(makeRow(article, sheet));
  for (const action of ACTIONS.filter((one) => one.isFor(article) && one.isFor !== mayReact)) {
    const button = makeButton(action, () => (sheet.close(), article));
    sheet.append(button);
  }
  const close = document.createElement("button");
  [close.type, close.textContent, close.className] = ["button", t("Close"), "quiet"];
  close.addEventListener("click", () => sheet.close());
  sheet.append(close);
  sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close()); // beside it
  sheet.showModal();
}

/**
 * Makes the row of all reactions. It has its place before it is filled, so that nothing moves under the finger.
 * @param {HTMLElement} article
 * @param {HTMLDialogElement} sheet
 */
function makeRow(article, sheet) {
  const row = document.createElement("div");
  row.className = "picker";
  import("./reactions.js").then(
    ({ fill, styled }) => styled.then(() => fill(row, article, () => sheet.close())),
    (error) => (row.textContent = inWords(error)),
  );
  return row;
}

/**
 * @param {string} kind
 * @param {string} heading
 */
function makeDialog(kind, heading) {
  const dialog = document.createElement("dialog");
  const title = dialog.appendChild(document.createElement("h2"));
  [dialog.className, title.id, title.textContent] = [kind, "dialog-title", heading];
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  return dialog;
}

// --- what the actions do

/**
 * Begins a reply at once, as the words may be written and sent before the script is there that shows it.
 * @param {HTMLElement} article
 */
async function answer(article) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("composer"));
  const id = (form.dataset.replyTo = article.id.slice(1));
  form.querySelector("textarea")?.focus({ preventScroll: true });
  try {
    const { startReply } = await import("./reply.js");
    if (form.dataset.replyTo === id) startReply(article); // else the words are on their way
  } catch (error) {
    delete form.dataset.replyTo;
    throw error;
  }
}

/**
 * Adds the reader's thumbs up to a message, or takes it back.
 * @param {HTMLElement} article
 */
async function like(article) {
  const { toggle } = await import("./reactions.js");
  await toggle(article, LIKE);
}

/** @param {HTMLElement} article */
async function copyLink(article) {
  const { href } = linkOf(article);
  try {
    await navigator.clipboard.writeText(href);
    tell(t("Link copied."));
  } catch {
    prompt(t("The link to this message:"), href); // on plain http, or if the browser refuses it
  }
}

/** @param {HTMLElement} article */
async function edit(article) {
  const { edit } = await import("./editing.js");
  await edit(article, tools);
}

/** @param {HTMLElement} article */
async function erase(article) {
  if (!(await isSure(article))) return linkOf(article).focus({ preventScroll: true });
  const id = Number(article.id.slice(1));
  // Found before, since the live change may come first.
  const next = [article.nextElementSibling, article.previousElementSibling].find((one) => articleOf(one));
  try {
    await ask(`/api/v1/messages/${id}?as=${encodeURIComponent(as)}`, isAnything, LIMIT_MS, {
      method: "DELETE",
      headers: own(id),
    });
  } catch (error) {
    const { status } = /** @type {Failure} */ (error);
    if (status !== 204 && status !== 404) return tell(inWords(error)); // 204 has no JSON
  }
  tools.board.show({ messages: [{ id, deleted: true }], cursor: "" });
  if (next) linkOf(/** @type {HTMLElement} */ (next)).focus({ preventScroll: true });
  tell(t("Message deleted."));
}

/**
 * The line at the top comes with the live change.
 * @param {HTMLElement} article
 * @param {string} method
 */
async function pin(article, method) {
  const url = `/api/v1/messages/${article.id.slice(1)}/pin?as=${encodeURIComponent(as)}`;
  await ask(url, isAnything, LIMIT_MS, { method });
  linkOf(article).focus({ preventScroll: true }); // the button is for the other of both now
  tell(method === "PUT" ? t("Message pinned.") : t("Message unpinned."));
}

/**
 * Asks once.
 * @param {HTMLElement} article
 * @returns {Promise<boolean>}
 */
function isSure(article) {
  const signs = [...(article.querySelector(".body")?.textContent ?? "").trim()];
  const words = signs.length > LONGEST ? `${signs.slice(0, LONGEST).join("")}…` : signs.join("");
  const dialog = makeDialog("ask", t("Delete this message?"));
  const quote = dialog.appendChild(document.createElement("p"));
  [quote.textContent, quote.dir, quote.id] = [words, "auto", "dialog-words"];
  dialog.setAttribute("aria-describedby", quote.id);
  dialog.insertAdjacentHTML(
    "beforeend",
    '<form method="dialog"><button class="quiet"></button><button class="danger" value="delete"></button></form>',
  );
  const [cancel, erase] = dialog.querySelectorAll("button");
  [cancel.textContent, erase.textContent] = [t("Cancel"), t("Delete")];
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete")));
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is import("./poller.js").Json}
 */
function isAnything(reply) {
  return Boolean(reply);
}

/** @param {unknown} error */
function inWords(error) {
  return error instanceof Failure && error.isOurs ? error.message : t("The board can't be reached. Try again.");
}
