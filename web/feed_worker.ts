/** What runs in the browser's shared worker: one stream for all tabs. */
import { SharedStream } from "./shared_stream.ts";

const stream = new SharedStream();
addEventListener("connect", (event) => stream.join((event as MessageEvent).ports[0]!));
