"""The text of the examples on the page /api. tests/http/test_api_page.py runs them as the page shows them.

BASE is the board's address. What stands between ‹ and › is for the reader to fill in: a msgid. In curl, each line is a
command.
"""

from board.said import msgid

BLANKS = [msgid("cursor"), msgid("id"), msgid("number/secret"), msgid("a bot's token")]

CURL = {
    "read": "curl -s BASE/api/v1/messages",
    "poll": "curl -s 'BASE/api/v1/messages?after=‹cursor›'",
    "stream": "curl -sN BASE/api/v1/stream",
    "post": "curl -s BASE/api/v1/messages --data-urlencode body='Hello from a script'",
    "signin": """
curl -s BASE/api/v1/signup -d username=ada -d password='a few random words'
token=$(curl -sSf BASE/api/v1/signin -d username=ada -d password='a few random words' | cut -d'"' -f4)""",
    "token": "token=‹a bot's token›",
    "account": """
curl -s BASE/api/v1/messages -H "Authorization: Bearer ${token:?}" --data-urlencode body='Hello from Ada'""",
    "reply": """
curl -s BASE/api/v1/messages -H "Authorization: Bearer ${token:?}" -d reply_to=‹id› --data-urlencode body='Welcome!'
curl -s BASE/api/v1/messages/‹id›/reactions/heart -H "Authorization: Bearer ${token:?}" -X PUT""",
    "signout": """curl -s BASE/api/v1/signout -H "Authorization: Bearer ${token:?}" -X POST""",
    "hook": "curl -s BASE/hooks/‹number/secret› -d 'High tide'",
}
PYTHON = {
    "read": """
import json, random, sys, time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

BASE = "BASE"
headers = {}

def ask(method, path, fields=None, accept="application/json"):
    body = json.dumps(fields).encode() if fields else None
    more = {"Accept": accept, "Content-Type": "application/json"}
    url = BASE + path
    try:
        request = Request(url, body, headers | more, method=method)
        return urlopen(request, timeout=60)
    except HTTPError as error:
        error.msg = error.read().decode()  # what was wrong, as JSON
        raise

def call(*request):
    with ask(*request) as reply:
        return json.loads(reply.read() or "null")

newest = call("GET", "/api/v1/messages")
for message in newest["messages"]:
    print(message["id"], message["body"])""",
    "poll": """
def wait_after(error, failures):
    print(error, file=sys.stderr)
    refused = error if isinstance(error, HTTPError) else None
    if refused and refused.code < 500 and refused.code != 429:
        raise refused  # to try again would not help
    pause = random.random() * min(2**failures, 60)
    after = refused and refused.headers["Retry-After"]
    time.sleep(max(pause, float(after or 0)))

cursor, failures = newest["cursor"], 0
while True:
    try:
        path = f"/api/v1/messages?after={cursor}&wait=25"
        news = call("GET", path)
    except (OSError, HTTPException) as error:
        wait_after(error, failures)
        failures += 1
        continue
    for message in news["messages"]:
        print(message["id"], message.get("body", "(deleted)"))
    cursor, failures = news["cursor"], 0
    time.sleep(news.get("retry_ms", 0) / 1000)""",
    "stream": """
cursor, failures = newest["cursor"], 0
accept = "application/x-ndjson"
while True:
    try:
        path = f"/api/v1/stream?after={cursor}"
        with ask("GET", path, accept=accept) as lines:
            for line in lines:
                if not line.endswith(b"\\n"):
                    break  # the connection broke
                news = json.loads(line)
                for message in news["messages"]:
                    body = message.get("body", "(deleted)")
                    print(message["id"], body)
                cursor, failures = news["cursor"], 0
        raise ConnectionError("The stream has ended.")
    except (OSError, HTTPException) as error:
        wait_after(error, failures)  # of the example above
        failures += 1""",
    "post": """
hello = {"body": "Hello from a script"}
posted = call("POST", "/api/v1/messages", hello)
print(posted["id"])""",
    "signin": """
ada = {"username": "ada", "password": "a few random words"}
call("POST", "/api/v1/signup", ada)  # once
token = call("POST", "/api/v1/signin", ada)["token"]""",
    "token": 'token = "‹a bot\'s token›"',
    "account": """
headers["Authorization"] = f"Bearer {token}"
hello = {"body": "Hello from Ada"}
mine = call("POST", "/api/v1/messages", hello)""",
    "reply": """
reply = {"body": "Welcome!", "reply_to": mine["id"]}
call("POST", "/api/v1/messages", reply)
call("PUT", f"/api/v1/messages/{mine['id']}/reactions/heart")""",
    "signout": """
call("POST", "/api/v1/signout")
del headers["Authorization"]""",
    "hook": 'ask("POST", "/hooks/‹number/secret›", {"text": "High tide"})',
}
JAVASCRIPT = {
    "read": """
const base = "BASE";
const headers = {};

async function ask(method, path, fields, { accept, signal } = {}) {
  const own = { ...headers, Accept: accept ?? "application/json" };
  if (fields) own["Content-Type"] = "application/json";
  const reply = await fetch(base + path, {
    method,
    headers: own,
    body: fields && JSON.stringify(fields),
    signal: signal ?? AbortSignal.timeout(60_000),
  });
  if (reply.ok) return reply;
  const error = new Error(`${reply.status} ${await reply.text()}`);
  throw Object.assign(error, { reply });
}

async function call(...request) {
  const text = await (await ask(...request)).text();
  return text ? JSON.parse(text) : null;
}

const newest = await call("GET", "/api/v1/messages");
for (const { id, body } of newest.messages) console.log(id, body);""",
    "poll": """
async function waitAfter(error, failures) {
  console.error(`${error}`);
  const { reply } = error;
  if (reply?.status < 500 && reply.status !== 429) throw error;
  const pause = Math.random() * Math.min(2 ** failures, 60);
  const after = Number(reply?.headers.get("Retry-After") ?? 0);
  const wait = 1000 * Math.max(pause, after);
  await new Promise((done) => setTimeout(done, wait));
}

let { cursor } = newest;
for (let failures = 0; ; ) {
  let news;
  try {
    const path = `/api/v1/messages?after=${cursor}&wait=25`;
    news = await call("GET", path);
  } catch (error) {
    await waitAfter(error, failures++);
    continue;
  }
  for (const { id, body = "(deleted)" } of news.messages)
    console.log(id, body);
  cursor = news.cursor;
  failures = 0;
  const wait = news.retry_ms ?? 0;
  if (wait) await new Promise((done) => setTimeout(done, wait));
}""",
    "stream": """
let { cursor } = newest;
for (let failures = 0; ; ) {
  const silent = new AbortController();
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), 60_000);
  };
  try {
    watch();
    const path = `/api/v1/stream?after=${cursor}`;
    const { body } = await ask("GET", path, undefined, {
      accept: "application/x-ndjson",
      signal: silent.signal,
    });
    const texts = body.pipeThrough(new TextDecoderStream());
    const reader = texts.getReader();
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) throw new Error("The stream has ended.");
      watch();
      const lines = (rest + value).split("\\n");
      rest = lines.pop();
      for (const news of lines.map((line) => JSON.parse(line))) {
        for (const { id, body = "(deleted)" } of news.messages)
          console.log(id, body);
        cursor = news.cursor;
        failures = 0;
      }
    }
  } catch (error) {
    await waitAfter(error, failures++); // of the example above
  } finally {
    clearTimeout(timer);
  }
}""",
    "post": """
const posted = await call("POST", "/api/v1/messages", {
  body: "Hello from a script",
});
console.log(posted.id);""",
    "signin": """
const ada = { username: "ada", password: "a few random words" };
await call("POST", "/api/v1/signup", ada); // once
const { token } = await call("POST", "/api/v1/signin", ada);""",
    "token": 'const token = "‹a bot\'s token›";',
    "account": """
headers.Authorization = `Bearer ${token}`;
const mine = await call("POST", "/api/v1/messages", {
  body: "Hello from Ada",
});""",
    "reply": """
await call("POST", "/api/v1/messages", {
  body: "Welcome!",
  reply_to: mine.id,
});
await call("PUT", `/api/v1/messages/${mine.id}/reactions/heart`);""",
    "signout": """
await call("POST", "/api/v1/signout");
delete headers.Authorization;""",
    "hook": """await ask("POST", "/hooks/‹number/secret›", { text: "High tide" });""",
}
