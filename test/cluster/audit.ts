// The API server's audit log: who did what, as the server saw it. Read from where the last reading ended, since tests poll.
import { closeSync, openSync, readSync } from "node:fs";

export type AuditLevel = "Metadata" | "Request" | "RequestResponse";

export interface AuditEvent {
  readonly auditID: string;
  readonly level: AuditLevel;
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
    readonly resourceVersion?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string; readonly message?: string };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  /** From level Request. */
  readonly requestObject?: unknown;
  /** From level RequestResponse. */
  readonly responseObject?: unknown;
}

/** Audit policy that logs each request once, when it has been answered; a watch when it ends. */
export function auditPolicy(level: AuditLevel | undefined): object {
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted", "Panic"],
    rules: [{ level: level ?? "None" }],
  };
}

const CHUNK = 1 << 20;

/** Grows with the file; the server writes an event before it sends the end of the answer. */
export class AuditLog {
  readonly #path: string;
  readonly #events: AuditEvent[] = [];
  #offset = 0;
  #rest = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** All events so far, oldest first; the same array on each call. */
  read(): readonly AuditEvent[] {
    const file = openSync(this.#path, "r");
    try {
      for (let chunk = this.#next(file); chunk.length > 0; chunk = this.#next(file)) this.#take(chunk);
    } finally {
      closeSync(file);
    }
    return this.#events;
  }

  #next(file: number): Buffer {
    const buffer = Buffer.alloc(CHUNK);
    const length = readSync(file, buffer, 0, CHUNK, this.#offset);
    this.#offset += length;
    return buffer.subarray(0, length);
  }

  // The last line may be half written.
  #take(chunk: Buffer): void {
    const data = Buffer.concat([this.#rest, chunk]);
    const end = data.lastIndexOf(0x0a) + 1;
    this.#rest = data.subarray(end);
    for (const line of data.toString("utf8", 0, end).split("\n")) {
      if (line !== "") this.#events.push(JSON.parse(line) as AuditEvent);
    }
  }
}
