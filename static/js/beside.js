// The list of boards beside a page that is not live: it says what was new when the page was opened, or looked at later.

import { Marks } from "./marks.js";
import { Rail } from "./rail.js";

const nav = /** @type {HTMLElement} */ (document.getElementById("boards"));
const nobody = () => {};
new Rail(nav, "", new Marks(nav.dataset.as ?? ""), { isPolling: false }, nobody, nobody);
