// @ts-check
// The long poll: one loop, one request in flight, for all tabs of a browser together: it allows six connections only.
// Whichever tab is looked at asks the server, and passes on to the others what it hears.

/**
 * @typedef {import("./board.js").Reply} Reply
 * @typedef {{show(reply: Reply): void, lost(): void, back(): void, stopped(words: string): void}} Page
 * @typedef {{from: string, reply: Reply} | {state: "lost" | "back"} | {stopped: string} | {signedIn: true}} News
 */

const SLACK_SECONDS = 10; // for the network, beyond what the server may hold a poll
const BACKOFF_MS = 1000; // after the first failure, doubled by each further one,
const MOST_MS = 60_000; // up to this; the pause is a random part of it, so that a thousand pages come back one by one
const AGAIN = new Error("Polling again instead");
const NAME = "longboard"; // of the lock that the polling tab holds, and of the channel between tabs

/** No answer, or none that is of use. */
class Failure extends Error {
  /**
   * @param {string} words
   * @param {number} status 0 where there was no answer.
   * @param {number} pause Milliseconds that the server asks us to wait.
   */
  constructor(words, status = 0, pause = 0) {
    super(words);
    this.status = status;
    this.pause = pause;
  }
}

/** Owns this tab's cursor, which moves only when a reply has been shown. */
class Poller {
  #cursor;
  #waitSeconds;
  #page;
  #tell;
  #failures = 0;
  /** @type {AbortController | null} The request in flight. */
  #request = null;
  #startedAt = 0;
  /** Ends a pause that is only ours, not one that the server asked for. */
  #endPause = () => {};
  /** @type {Promise<void> | null} */
  #catchingUp = null;

  /**
   * @param {string} cursor
   * @param {number} waitSeconds For how long the server holds a poll.
   * @param {Page} page
   * @param {(news: News) => void} tell The other tabs.
   */
  constructor(cursor, waitSeconds, page, tell) {
    this.#cursor = cursor;
    this.#waitSeconds = waitSeconds;
    this.#page = page;
    this.#tell = tell;
  }

  /**
   * Polls until another tab does, or the server says that this browser may no longer read: then it rejects.
   * @param {AbortSignal} signal
   */
  async run(signal) {
    const ended = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    signal.addEventListener("abort", () => this.#request?.abort(AGAIN), { once: true });
    await this.#catchingUp;
    while (!signal.aborted) {
      let pause = 0;
      let isAsked = false;
      try {
        const reply = await this.#ask(this.#waitSeconds);
        this.#take(reply);
        this.#failures = 0;
        this.#page.back();
        this.#tell({ state: "back" });
        if (reply.retry_ms) [pause, isAsked] = [reply.retry_ms * (1 + Math.random()), true];
        // Nothing new, and not held: whatever stands in between, don't ask it as fast as it answers.
        else if (!reply.messages.length && Date.now() - this.#startedAt < BACKOFF_MS) pause = BACKOFF_MS;
      } catch (error) {
        if (error === AGAIN) continue;
        const failure = error instanceof Failure ? error : new Failure(String(error));
        if (failure !== error) console.error(error); // the reply could not be shown: a fault of ours
        if (failure.status === 401) throw failure;
        this.#page.lost();
        this.#tell({ state: "lost" });
        pause = failure.pause + Math.random() * Math.min(MOST_MS, BACKOFF_MS * 2 ** this.#failures++);
        isAsked = failure.pause > 0;
      }
      if (pause) await Promise.race([this.#rest(pause, isAsked), ended]);
    }
  }

  /**
   * What another tab was told. A tab that slept may have missed what came before: it asks for itself.
   * @param {string} from The cursor that this is the answer to.
   * @param {Reply} reply
   */
  hear(from, reply) {
    if (reply.reset || from === this.#cursor) this.#show(reply);
    else if (reply.cursor !== this.#cursor) this.catchUp();
  }

  catchUp() {
    this.#catchingUp ??= this.#readOn().finally(() => (this.#catchingUp = null));
  }

  async #readOn() {
    try {
      for (let reply; !reply || reply.more; ) this.#show((reply = await this.#ask(0)));
    } catch {} // the tab that polls will say what is wrong, and the next news tries again
  }

  /** The server can be reached, it seems: ends a pause. */
  wake() {
    this.#failures = 0;
    this.#endPause();
  }

  /** Gives up also the request in flight, which may be dead without knowing it. */
  pollNow() {
    this.wake();
    this.#request?.abort(AGAIN);
  }

  /** The page is looked at again: while it slept, the server may have answered to nobody. */
  look() {
    const isOld = Date.now() - this.#startedAt > 1000 * this.#waitSeconds;
    if (isOld) this.pollNow();
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
    const limit = 1000 * (wait + SLACK_SECONDS);
    const timer = setTimeout(() => request.abort(new Failure("No answer in time")), limit);
    this.#startedAt = Date.now();
    try {
      const response = await fetch(cursor ? `/get?after=${cursor}${wait ? "" : "&wait=0"}` : "/get", {
        headers: { Accept: "application/json" },
        cache: "no-store",
        signal: request.signal,
      });
      if (response.status === 400) this.#cursor = ""; // the server no longer knows such cursors: begin anew
      const reply = await response.json().catch(() => null);
      if (!response.ok) throw refusal(response, reply);
      if (typeof reply?.cursor !== "string" || !Array.isArray(reply.messages)) throw new Failure("Not the board");
      return cursor ? reply : { ...reply, reset: true };
    } catch (error) {
      throw request.signal.reason ?? (error instanceof Failure ? error : new Failure(String(error)));
    } finally {
      clearTimeout(timer);
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
 * @param {Response} response
 * @param {any} reply
 */
function refusal(response, reply) {
  const after = response.headers.get("Retry-After") ?? "";
  const pause = /^\d+$/.test(after) ? 1000 * Number(after) : Date.parse(after) - Date.now();
  return new Failure(reply?.error?.message ?? "Please sign in.", response.status, Math.max(0, pause || 0));
}

/**
 * This tab among the others. One holds the lock and polls; a tab that comes to be looked at takes the lock from it.
 * Where a browser has no locks or no channel (it gives both to https and localhost only), each tab polls.
 */
export class Tabs {
  #page;
  #poller;
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** Ends this tab's turn, or its waiting for one. */
  #turn = new AbortController();
  #isPolling = false;
  #isStopped = false;

  /**
   * @param {string} cursor
   * @param {number} waitSeconds
   * @param {Page} page
   */
  constructor(cursor, waitSeconds, page) {
    this.#page = page;
    this.#poller = new Poller(cursor, waitSeconds, page, (news) => this.tell(news));
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.#poller.pollNow());
    window.addEventListener("pageshow", (event) => event.persisted && this.#join());
    window.addEventListener("pagehide", () => this.#leave()); // so that the page can come back as it was
    document.addEventListener("visibilitychange", () => this.#look());
    document.addEventListener("resume", () => this.#look());
    this.#join();
  }

  /** Whether it is this tab that polls. */
  get isPolling() {
    return this.#isPolling;
  }

  #join() {
    if (this.#isStopped) return;
    if (navigator.locks && "BroadcastChannel" in window) {
      this.#channel = new BroadcastChannel(NAME);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
      this.#queue(document.visibilityState === "visible");
    } else {
      this.#turn = new AbortController();
      this.#poll(this.#turn.signal);
    }
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

  /** A message of ours is on the server. */
  wake() {
    this.#poller.wake();
  }

  /** It should have come back by now: the poll in flight must be dead. */
  pollNow() {
    if (this.#isPolling) this.#poller.pollNow();
    else this.#poller.catchUp();
  }

  #look() {
    if (document.visibilityState !== "visible" || this.#isStopped) return;
    if (this.#isPolling) this.#poller.look();
    else if (this.#channel) this.#queue(true);
  }

  /** @param {boolean} now Takes the lock from the tab that has it, instead of waiting for it. */
  #queue(now) {
    this.#turn.abort();
    const turn = (this.#turn = new AbortController());
    navigator.locks
      .request(NAME, now ? { steal: true } : { signal: turn.signal }, () => this.#poll(turn.signal))
      .catch(() => {
        if (turn.signal.aborted) return; // it was us
        turn.abort();
        this.#queue(false); // another tab has taken it
      });
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    this.#isPolling = true;
    signal.addEventListener("abort", () => (this.#isPolling = false), { once: true });
    try {
      await this.#poller.run(signal);
    } catch (error) {
      const { message } = /** @type {Failure} */ (error);
      this.tell({ stopped: message });
      this.stop(message);
    }
  }

  /**
   * For good: whoever has this page open is no longer signed in.
   * @param {string} words
   */
  stop(words) {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#turn.abort();
    this.#page.stopped(words);
  }

  /** @param {News} news */
  #hear(news) {
    if ("signedIn" in news) return this.#isStopped && location.reload();
    if (this.#isStopped) return;
    if ("stopped" in news) this.stop(news.stopped);
    else if ("state" in news) this.#page[news.state]();
    else this.#poller.hear(news.from, news.reply);
  }
}
