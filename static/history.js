// @ts-check
// Pages of older messages: they stand still, only their times are the reader's own.

import { writeTimes } from "./message.js";

writeTimes(document);
