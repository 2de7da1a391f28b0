// Requests to the board and pauses between tries, for all scripts. And the long poll: one loop, one request in flight, for
// all tabs of a browser together, because it allows six connections only. The tab in view asks the server, and passes on
// to the others what it hears.

/**
 * @typedef {import("./board.js").Reply} Reply
 * @typedef {{[name: string]: unknown}} Json An object from the board, or from a proxy in between.
 * @typedef {{show(reply: Reply): void, lost(): void, back(): void, stopped(words: string): void,
 *   home?: string, ask?: typeof ask, lock?: string, channel?: string}} Page `home` is the address of the board, if that isn't
 *   the page's own. The last three are of sites with several boards: see several.js.
 * @typedef {{from: string, reply: Reply} | {state: "lost" | "back", cursor?: string} | {stopped: string} | {signedIn: true}} News
 */

const SLACK_SECONDS = 10; // for the network, beyond the time that the server may hold a poll
const BACKOFF_MS = 1000; // after the first failure, doubled by each further one
const MOST_MS = 60_000;
const MOST_ASKED_MS = 600_000; // the longest pause that a server may ask for; a timer of a month would end at once
export const GIVEN_UP = new Error("The request was given up");
const JUMP_MS = 60_000; // smaller differences come from the way of the answer, or do not matter
const NAME = "longboard"; // of the lock that the polling tab holds, and of the channel between tabs

/** No answer, or no useful one. */
export class Failure extends Error {
  /**
   * @param {string} words
   * @param {number} status 0 if there was no answer.
   * @param {number} pause Milliseconds that the server asks us to wait.
   * @param {boolean} isOurs Whether the board itself says so, and not something in between.
   * @param {string} code The board's code of the error.
   */
  constructor(words, status = 0, pause = 0, isOurs = false, code = "") {
    super(words);
    this.status = status;
    this.pause = pause;
    this.isOurs = isOurs;
    this.code = code;
  }
}

/** How long to wait before a failed request is repeated: longer each time, and at random, so that pages come one by one. */
export class Backoff {
  #failures = 0;
  #most;

  /** @param {number} most Milliseconds. */
  constructor(most = MOST_MS) {
    this.#most = most;
  }

  /** @returns {number} Milliseconds: from half of the pause that is due to all of it, never 0. */
  next() {
    return ((1 + Math.random()) / 2) * Math.min(this.#most, BACKOFF_MS * 2 ** this.#failures++);
  }

  reset() {
    this.#failures = 0;
  }
}

let ahead = 0; // milliseconds that the board's clock is ahead of this computer's

/** Milliseconds since 1970, by the board's clock as far as it is known, because this computer's may jump. */
export function boardsTime() {
  return Date.now() + ahead;
}

/** @param {Response} response */
function setClock({ headers }) {
  const found = Date.parse(headers.get("Date") ?? "") - Date.now();
  if (Math.abs(found - ahead) > JUMP_MS) ahead = found;
}

/**
 * Asks the board for JSON. A proxy in between may answer, too, with any status and in HTML, so only an answer that looks
 * like the board's own counts as one. Rejects with a Failure, or with GIVEN_UP if `request` was aborted.
 * @template {Json} Answer
 * @param {string} url
 * @param {(reply: Json) => reply is Answer} isRight Whether the reply is an answer to this.
 * @param {number} limit Milliseconds. By a timer, because AbortSignal.timeout is newer than the browsers that are supported.
 * @param {RequestInit} options
 */
export async function ask(url, isRight, limit, options = {}, request = new AbortController()) {
  let isLate = false;
  const timer = setTimeout(() => ((isLate = true), request.abort()), limit);
  try {
    const headers = { Accept: "application/json" };
    const response = await fetch(url, { headers, cache: "no-store", ...options, signal: request.signal });
    /** @type {Json | null} */
    const reply = await response.json().catch((error) => {
      if (!(error instanceof SyntaxError)) throw error; // it was cut off, and says nothing of who has answered
      return null;
    });
    if (response.ok && reply && isRight(reply)) {
      setClock(response);
      return reply;
    }
    const failure = refusal(response, reply);
    if (failure.isOurs) setClock(response);
    throw failure;
  } catch (error) {
    if (request.signal.aborted && !isLate) throw GIVEN_UP;
    throw error instanceof Failure ? error : new Failure(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Response} response
 * @param {Json | null} reply
 */
function refusal({ status, headers }, reply) {
  const { code, message } = /** @type {Json} */ (reply?.error ?? {});
  const after = headers.get("Retry-After") ?? "";
  const asked = /^\d+$/.test(after) ? 1000 * Number(after) : Date.parse(after) - Date.now();
  const pause = Math.min(Math.max(0, asked || 0), MOST_ASKED_MS);
  const isOurs = typeof code === "string" && typeof message === "string";
  return isOurs ? new Failure(message, status, pause, true, code) : new Failure("Not the board", status, pause);
}

/** Owns this tab's cursor, which moves only when a reply has been shown. */
class Poller {
  /** Whether any tab has noticed that the connection is lost. Then polls ask for an answer at once, to see when it is back. */
  isLost = false;
  #cursor;
  #waitSeconds;
  #page;
  #tell;
  #backoff = new Backoff();
  /** @type {AbortController | null} The request in flight. */
  #request = null;
  #startedAt = 0;
  /** Ends a pause that is only ours, not one that the server asked for. */
  #endPause = () => {};
  /** @type {Promise<void> | null} */
  #catchingUp = null;

  /**
   * @param {string} cursor
   * @param {number} waitSeconds How long the server holds a poll.
   * @param {Page} page
   * @param {(news: News) => void} tell Tells the other tabs.
   */
  constructor(cursor, waitSeconds, page, tell) {
    this.#cursor = cursor;
    this.#waitSeconds = waitSeconds;
    this.#page = page;
    this.#tell = tell;
  }

  /**
   * Polls until `signal` ends it, because another tab polls. Rejects if the server says that this browser may no longer read.
   * @param {AbortSignal} signal
   * @param {() => boolean} mayHold Whether the server may hold the poll. If not, it is asked now and then.
   */
  async run(signal, mayHold) {
    const ended = new Promise((resolve) => signal.addEventListener("abort", resolve));
    signal.addEventListener("abort", () => this.#request?.abort());
    await this.#catchingUp;
    while (!signal.aborted) {
      let pause = 0;
      let isAsked = false;
      try {
        const from = this.#cursor;
        const wait = mayHold() && !this.isLost ? this.#waitSeconds : 0;
        const reply = await this.#ask(wait);
        this.#take(reply);
        this.isLost = false;
        this.#backoff.reset();
        this.#page.back();
        this.#tell({ state: "back", cursor: this.#cursor });
        if (reply.retry_ms) [pause, isAsked] = [reply.retry_ms * (1 + Math.random()), true];
        else if (!wait) pause = reply.more || mayHold() ? 0 : 1000 * this.#waitSeconds;
        // Nothing is new, and the poll was not held. Something in between may answer; don't ask it as fast as it answers.
        else if (this.#cursor === from && Date.now() - this.#startedAt < BACKOFF_MS) pause = BACKOFF_MS;
      } catch (error) {
        if (error === GIVEN_UP) continue;
        const failure = error instanceof Failure ? error : new Failure(String(error));
        if (failure !== error) console.error(error); // the reply could not be shown: a fault of ours
        if (failure.status === 401 && failure.isOurs) throw failure; // a proxy's 401 passes
        this.isLost = true;
        this.#page.lost();
        this.#tell({ state: "lost" });
        pause = failure.pause + this.#backoff.next();
        isAsked = failure.pause > 0;
      }
      if (pause) await Promise.race([this.#rest(pause, isAsked), ended]);
    }
  }

  /**
   * Takes what another tab was told. A tab that slept may have missed what came before. Then it asks the server itself.
   * @param {string} from The cursor that this reply answers.
   * @param {Reply} reply
   */
  hear(from, reply) {
    if (reply.reset || from === this.#cursor) this.#show(reply);
    else if (reply.cursor !== this.#cursor) this.catchUp();
  }

  /** @param {string | undefined} cursor The cursor of another tab. This tab may have missed what that one was told. */
  keepUp(cursor) {
    if (cursor && cursor !== this.#cursor) this.catchUp();
  }

  catchUp() {
    this.#catchingUp ??= this.#readOn().finally(() => (this.#catchingUp = null));
  }

  async #readOn() {
    try {
      /** @type {Reply} */
      let reply;
      let from;
      do {
        from = this.#cursor;
        this.#show((reply = await this.#ask(0)));
      } while (reply.more && this.#cursor !== from);
    } catch {} // the tab that polls will say what is wrong, and the next news make it try again
  }

  /** Ends a pause, because the server can be reached, it seems. */
  wake() {
    this.#backoff.reset();
    this.#endPause();
  }

  /** Also gives up the request in flight, whose connection may be dead without a sign of it. */
  pollNow() {
    this.wake();
    this.#request?.abort();
  }

  /** Called when the page is in view again. While it slept, the server's answer may have been lost. */
  look() {
    if (Date.now() - this.#startedAt > 1000 * this.#waitSeconds) this.pollNow();
    else this.wake();
  }

  /** @param {Reply} reply */
  #take(reply) {
    const from = this.#cursor;
    this.#show(reply);
    if (reply.messages.length || reply.reset) this.#tell({ from, reply });
  }

  /** @param {Reply} reply */
  #show(reply) {
    this.#page.show(reply);
    this.#cursor = reply.cursor;
  }

  /**
   * @param {number} wait Seconds.
   * @returns {Promise<Reply>}
   */
  async #ask(wait) {
    const cursor = this.#cursor;
    const request = (this.#request = new AbortController());
    // Of the page's own board:
    const url = (this.#page.home ?? "") + (cursor ? `get?after=${cursor}${wait ? "" : "&wait=0"}` : "get");
    this.#startedAt = Date.now();
    try {
      const reply = await (this.#page.ask ?? ask)(url, isReply, 1000 * (wait + SLACK_SECONDS), {}, request);
      return cursor ? reply : { ...reply, reset: true };
    } catch (error) {
      // The server no longer knows such cursors: start over.
      if (error instanceof Failure && error.status === 400 && error.isOurs) this.#cursor = "";
      throw error;
    } finally {
      this.#request = null;
    }
  }

  /**
   * @param {number} ms
   * @param {boolean} isAsked
   * @returns {Promise<void>}
   */
  #rest(ms, isAsked) {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
      this.#endPause = isAsked ? () => {} : resolve;
    });
  }
}

/**
 * @param {Json} reply
 * @returns {reply is Reply}
 */
function isReply(reply) {
  return typeof reply.cursor === "string" && Array.isArray(reply.messages);
}

/**
 * This tab among the others. One holds the lock and polls; a tab that comes into view takes the lock from it.
 * Some browsers have no locks (they give them to https and localhost only), others refuse locks and channels to a site whose
 * cookies they block. There each tab polls for itself, and a hidden one keeps no request open, because only six may be open.
 */
export class Tabs {
  /** @type {((page: Page, tabs: Tabs) => void) | undefined} Where there are several boards, it comes in between. */
  static join;
  #page;
  #poller;
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** Ends this tab's turn, or its waiting for one. */
  #turn = new AbortController();
  #isPolling = false;
  #isStopped = false;
  /** Whether one tab polls for all, as far as this tab has tried. */
  #isShared = false;

  /**
   * @param {string} cursor
   * @param {number} waitSeconds
   * @param {Page} page
   */
  constructor(cursor, waitSeconds, page) {
    Tabs.join?.(page, this);
    this.#page = page;
    this.#poller = new Poller(cursor, waitSeconds, page, (news) => this.#isShared && this.tell(news));
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#poller.pollNow());
    addEventListener("pageshow", (event) => event.persisted && this.#join());
    addEventListener("pagehide", () => this.#leave()); // so that the browser can bring the page back as it was
    document.addEventListener("visibilitychange", () => this.#look());
    document.addEventListener("resume", () => this.#look());
    this.#join();
  }

  /** Whether this tab polls. */
  get isPolling() {
    return this.#isPolling;
  }

  #join() {
    if (this.#isStopped) return;
    try {
      this.#channel = new BroadcastChannel(this.#page.channel ?? NAME);
      this.#channel.onmessage = ({ data }) => this.hear(data);
    } catch {} // there is none, or it is refused
    if (!this.#channel || !navigator.locks) return this.#pollAlone();
    this.#queue(!document.hidden);
    if (document.hidden) this.#poller.catchUp(); // what the others were told while this page was loading
  }

  #pollAlone() {
    this.#isShared = false;
    this.#turn = new AbortController();
    this.#poll(this.#turn.signal);
  }

  #leave() {
    this.#turn.abort();
    this.#channel?.close();
    this.#channel = null;
  }

  /** @param {News} news */
  tell(news) {
    this.#channel?.postMessage(news);
  }

  /** Called when a message of ours is on the server. */
  wake() {
    this.#poller.wake();
  }

  /** Called when our message should have come back by now: the poll in flight must be dead. */
  pollNow() {
    if (this.#isPolling) this.#poller.pollNow();
    else this.#poller.catchUp();
  }

  #look() {
    if (this.#isStopped) return;
    if (document.hidden) return this.#isShared || this.#poller.pollNow(); // gives up the request in flight
    if (!this.#isShared) this.#poller.pollNow();
    else if (this.#isPolling) this.#poller.look();
    else this.#queue(true);
  }

  /** @param {boolean} now Whether to take the lock from the tab that has it, instead of waiting for it. */
  #queue(now) {
    this.#turn.abort();
    const turn = (this.#turn = new AbortController());
    this.#isShared = true;
    let isGiven = false;
    const poll = () => ((isGiven = true), this.#poll(turn.signal));
    navigator.locks
      .request(this.#page.lock ?? NAME, now ? { steal: true } : { signal: turn.signal }, poll)
      .catch(() => {
        if (turn.signal.aborted) return; // we have ended it ourselves
        turn.abort();
        if (isGiven)
          this.#queue(false); // another tab has taken it
        else this.#pollAlone(); // refused, as it will be the next time
      });
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    this.#isPolling = true;
    signal.addEventListener("abort", () => (this.#isPolling = false));
    try {
      await this.#poller.run(signal, () => this.#isShared || !document.hidden);
    } catch (error) {
      const { message } = /** @type {Failure} */ (error);
      this.tell({ stopped: message });
      this.stop(message);
    }
  }

  /**
   * Stops for good, because the reader is no longer signed in.
   * @param {string} words
   */
  stop(words) {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#turn.abort();
    this.#page.stopped(words);
  }

  /** @param {News} news */
  hear(news) {
    if ("signedIn" in news) return this.#isStopped && location.reload();
    if (this.#isStopped) return;
    if ("stopped" in news) this.stop(news.stopped);
    else if ("state" in news) {
      this.#poller.isLost = news.state === "lost";
      this.#page[news.state]();
      this.#poller.keepUp(news.cursor);
    } else this.#poller.hear(news.from, news.reply);
  }
}
