// Publishing: what is asked for within one turn of the event loop goes out as one script per partition, merged by key.
// While Redis is away or refuses writes the needs stay here, one per key, and go out when it is back (AC-36).
import { pause } from "../runtime/abort.ts";
import type { Logger } from "../runtime/log.ts";
import { metrics } from "../runtime/metrics.ts";
import type { Message } from "./bus.ts";
import { encode, fieldOf, isHousekeeping } from "./envelope.ts";
import { mergeMessages } from "./key-state.ts";
import { isLoss, isTransient } from "./redis-connection.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { PUBLISH } from "./redis-scripts.ts";

const BATCH = 256;
const MOST_PAUSE_MS = 1000;

interface Need {
  readonly message: Message;
  readonly json: string;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One per partition. */
export class RedisPublisher {
  readonly #partition: RedisPartition;
  readonly #recover: (reason: string) => Promise<void>;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  #pending = new Map<string, Need>();
  #waiters: Waiter[] = [];
  #running = false;

  constructor(partition: RedisPartition, recover: (reason: string) => Promise<void>, log: Logger) {
    this.#partition = partition;
    this.#recover = recover;
    this.#log = log;
  }

  /** Resolves when Redis has them. Rejects for a message that cannot be encoded, a server that will never take it, or on close. */
  async publish(messages: readonly Message[]): Promise<void> {
    // Encoded first: one bad message must fail its caller and nobody else.
    for (const need of messages.map((message) => ({ message, json: encode(message) }))) this.#keep(need);
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => void this.#flush());
    });
  }

  #keep(need: Need): void {
    const field = fieldOf(need.message);
    const earlier = this.#pending.get(field);
    const message = earlier ? mergeMessages(earlier.message, need.message) : need.message;
    this.#pending.set(field, earlier ? { message, json: encode(message) } : need);
  }

  close(): void {
    this.#abort.abort();
  }

  async #flush(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending.values()];
      const waiters = this.#waiters;
      this.#pending = new Map();
      this.#waiters = [];
      try {
        await this.#send(batch);
        for (const { resolve } of waiters) resolve();
      } catch (error) {
        for (const { reject } of waiters) reject(error);
      }
    }
    this.#running = false;
  }

  async #send(batch: readonly Need[]): Promise<void> {
    const chunks: Need[][] = [];
    for (let start = 0; start < batch.length; start += BATCH) chunks.push(batch.slice(start, start + BATCH));
    // A few in flight: the server works on one while the next is on its way. Keys are distinct, so order does not matter.
    for (let start = 0; start < chunks.length; start += 4) {
      await Promise.all(chunks.slice(start, start + 4).map((chunk) => this.#persist(chunk)));
    }
  }

  async #persist(chunk: readonly Need[]): Promise<void> {
    const args = chunk.flatMap(({ message, json }) => [
      fieldOf(message),
      json,
      message.lane === "urgent" ? "u" : "b",
      flagsOf(message),
      message.uid,
    ]);
    let waitMs = 20;
    for (;;) {
      try {
        await this.#partition.call(PUBLISH, args);
        count(chunk);
        return;
      } catch (error) {
        await this.#survive(error, waitMs);
        waitMs = Math.min(waitMs * 2, MOST_PAUSE_MS);
      }
    }
  }

  // Throws again what no waiting will mend.
  async #survive(error: unknown, waitMs: number): Promise<void> {
    if (this.#abort.signal.aborted || (!isLoss(error) && !isTransient(error))) throw error;
    if (waitMs >= MOST_PAUSE_MS) this.#log.warn({ err: error }, "publish waits for the store");
    await pause(waitMs, this.#abort.signal);
    if (!isLoss(error)) return;
    try {
      await this.#recover("epoch or group missing at publish");
    } catch (err) {
      this.#log.debug({ err }, "store not opened");
    }
  }
}

function count(chunk: readonly Need[]): void {
  for (const [lane, needs] of Map.groupBy(chunk, ({ message }) => message.lane)) {
    metrics.published.inc({ kind: needs[0]?.message.kind ?? "", lane }, needs.length);
  }
}

function flagsOf(message: Message): string {
  return (message.waking ? "w" : "") + (isHousekeeping(message) ? "a" : "");
}
