// @ts-check
// The long poll: one loop, one request in flight. It owns the cursor, which moves only when a reply has been shown.

/** @typedef {import("./board.js").Reply} Reply */

const SLACK_SECONDS = 10; // for the network, beyond what the server may hold a poll
const BACKOFF_MS = 1000; // after the first failure, doubled by each further one,
const MOST_MS = 60_000; // up to this; the pause is a random part of it, so that a thousand pages come back one by one
const AGAIN = new Error("Polling again instead");

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

export class Poller {
  #cursor;
  #waitSeconds;
  #show;
  #tell;
  #failures = 0;
  /** @type {AbortController | null} The request in flight. */
  #request = null;
  #startedAt = 0;
  /** Ends a pause that is only ours, not one that the server asked for. */
  #endPause = () => {};

  /**
   * @param {string} cursor
   * @param {number} waitSeconds For how long the server holds a poll.
   * @param {(reply: Reply) => void} show
   * @param {{lost(): void, back(): void, stopped(words: string): void}} tell
   */
  constructor(cursor, waitSeconds, show, tell) {
    this.#cursor = cursor;
    this.#waitSeconds = waitSeconds;
    this.#show = show;
    this.#tell = tell;
    window.addEventListener("online", () => this.pollNow());
    window.addEventListener("pageshow", () => this.#look());
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** Ends only when the server says that this page may no longer read. */
  async run() {
    while (true) {
      let pause = 0;
      let isAsked = false;
      try {
        const reply = await this.#ask();
        this.#show(reply);
        this.#cursor = reply.cursor;
        this.#failures = 0;
        this.#tell.back();
        if (reply.retry_ms) [pause, isAsked] = [reply.retry_ms * (1 + Math.random()), true];
        // Nothing new, and not held: whatever stands in between, don't ask it as fast as it answers.
        else if (!reply.messages.length && Date.now() - this.#startedAt < BACKOFF_MS) pause = BACKOFF_MS;
      } catch (error) {
        if (error === AGAIN) continue;
        const failure = error instanceof Failure ? error : new Failure(String(error));
        if (failure !== error) console.error(error); // the reply could not be shown: a fault of ours
        if (failure.status === 401) return this.#tell.stopped(failure.message);
        this.#tell.lost();
        pause = failure.pause + Math.random() * Math.min(MOST_MS, BACKOFF_MS * 2 ** this.#failures++);
        isAsked = failure.pause > 0;
      }
      if (pause) await this.#rest(pause, isAsked);
    }
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
  #look() {
    if (document.visibilityState !== "visible") return;
    const isOld = Date.now() - this.#startedAt > 1000 * this.#waitSeconds;
    if (isOld) this.pollNow();
    else this.wake();
  }

  /** @returns {Promise<Reply>} */
  async #ask() {
    const cursor = this.#cursor;
    const request = (this.#request = new AbortController());
    const limit = 1000 * (this.#waitSeconds + SLACK_SECONDS);
    const timer = setTimeout(() => request.abort(new Failure("No answer in time")), limit);
    this.#startedAt = Date.now();
    try {
      const response = await fetch(cursor ? `/get?after=${cursor}` : "/get", {
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
