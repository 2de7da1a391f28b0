// Posts with Slack's client for Node, and prints the answer.

import { IncomingWebhook } from "@slack/webhook";

const answer = await new IncomingWebhook(process.argv[2]).send({ text: "From *Node*" });
process.stdout.write(answer.text);
