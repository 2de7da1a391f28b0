// Follows a stream with a library's EventSource: prints “open” when it first opens, and the words of each message.
const [library, url] = process.argv.slice(2);
const found = await import(library);
const EventSource = found.EventSource ?? found.EventSourcePolyfill ?? found.default.EventSourcePolyfill ?? found.default;

let isOpen = false;
const source = new EventSource(url);
source.onmessage = (event) => {
  if (!isOpen) console.log("open");
  isOpen = true;
  const reply = JSON.parse(event.data);
  if (event.lastEventId !== reply.cursor) throw new Error(`${event.lastEventId} is not ${reply.cursor}`);
  for (const message of reply.messages) console.log(JSON.stringify(message.body));
};
// While they wait to come back, these libraries keep no program alive; one leaves a failed request to nobody.
setInterval(() => {}, 1000);
process.on("unhandledRejection", () => {});
