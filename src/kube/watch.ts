// One watch connection: JSON lines on bytes, bookmarks as resume points, 410 as GoneError, silence as a normal end.
// controller/watcher.ts resumes; this file never retries.
import { randomInt } from "node:crypto";
import { after } from "../runtime/abort.ts";
import type { Logger } from "../runtime/log.ts";
import type { WatchOptions } from "./client.ts";
import { kubeError } from "./errors.ts";
import type { Http } from "./http.ts";
import type { KindRef, KubeObject, WatchEvent } from "./types.ts";

// The server ends a watch after 240–300 s; it sends a bookmark each minute, so 90 s of silence mean a dead connection.
const SERVER_TIMEOUT_S = [240, 300] as const;
const INACTIVITY_MS = 90_000;

export interface WatchCall {
  readonly http: Http;
  readonly path: string;
  readonly kind: KindRef;
  readonly log: Logger;
  readonly options: WatchOptions;
}

interface Line {
  readonly type: string;
  readonly object: KubeObject & { readonly code?: number; readonly message?: string; readonly reason?: string };
}

/** Yields events until the server, or silence, ends the connection; throws GoneError at 410 and KubeError otherwise. */
export async function* watchOnce(call: WatchCall): AsyncGenerator<WatchEvent> {
  const idle = new AbortController();
  let cancel = after(INACTIVITY_MS, () => idle.abort());
  const signal = call.options.signal ? AbortSignal.any([call.options.signal, idle.signal]) : idle.signal;
  try {
    const body = await call.http.stream({ method: "GET", path: `${call.path}?${query(call.options).toString()}`, signal });
    for await (const line of lines(body, () => {
      cancel();
      cancel = after(INACTIVITY_MS, () => idle.abort());
    })) {
      const event = decode(line, call);
      if (event) yield event;
    }
  } catch (error) {
    if (!idle.signal.aborted || call.options.signal?.aborted === true) throw error;
  } finally {
    cancel();
    idle.abort();
  }
}

function query(options: WatchOptions): URLSearchParams {
  const search = new URLSearchParams({
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: options.resourceVersion,
    timeoutSeconds: String(randomInt(SERVER_TIMEOUT_S[0], SERVER_TIMEOUT_S[1])),
  });
  if (options.labelSelector !== undefined) search.set("labelSelector", options.labelSelector);
  return search;
}

/** Splits on bytes, so that a character cut in two by a chunk stays whole. */
export async function* lines(chunks: AsyncIterable<Uint8Array>, onData: () => void): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    onData();
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      if (end > start) yield rest.toString("utf8", start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
}

function decode(text: string, { kind, log }: WatchCall): WatchEvent | undefined {
  let line: Line;
  try {
    line = JSON.parse(text) as Line;
  } catch (err) {
    // Never silently: the object may have been lost, the next full list repairs it.
    log.warn({ err, kind: kind.kind }, "watch line is not JSON");
    return undefined;
  }
  if (line.type === "ERROR") {
    throw kubeError(line.object.message ?? "watch failed", { status: line.object.code ?? 500, reason: line.object.reason });
  }
  if (line.type === "BOOKMARK") return { type: "BOOKMARK", resourceVersion: line.object.metadata.resourceVersion ?? "" };
  if (line.type === "ADDED" || line.type === "MODIFIED" || line.type === "DELETED") return { type: line.type, object: line.object };
  return undefined;
}
