// Makes the calls that come as lines of JSON, with the client that orval has made; answers each with a line of JSON.
import * as client from "./client.js";
import type { Changed, Messages } from "./client.js";

declare const process: { stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

type Call = { url: string; id: string; values: unknown[]; token: string | null };
type Answer = { status: number; data: unknown };

let base = "";
const fetchAnywhere = globalThis.fetch;
globalThis.fetch = (path, options) => fetchAnywhere(new URL(String(path), base), options);

// Only compiled: what a program that uses these types looks like.
export function bodies(messages: Messages): string[] {
  return messages.messages.map((changed: Changed) => ("body" in changed ? changed.body : `${changed.id} is gone`));
}

async function answer({ url, id, values, token }: Call): Promise<Answer> {
  base = url;
  const call = (client as unknown as Record<string, (...values: unknown[]) => Promise<Answer>>)[id];
  const missing = Array.from({ length: call.length - 1 - values.length }, () => undefined);
  const { status, data } = await call(...values, ...missing, token && { headers: { Authorization: `Bearer ${token}` } });
  return { status, data };
}

let rest = "";
const decoder = new TextDecoder();
for await (const chunk of process.stdin) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
