// Checks what a receiver of webhooks got, which comes as JSON: prints the type of the event, or fails.
import { Webhook } from "standardwebhooks";

let text = "";
for await (const part of process.stdin) text += part;
const { secret, body, headers } = JSON.parse(text);
console.log(new Webhook(secret).verify(body, headers).type);
