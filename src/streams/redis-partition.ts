// One partition as the other redis-*.ts files see it: its keys, its epoch, and script calls with the common arguments.
// Holds no timers and no policy; redis-epoch.ts opens it and notices when it is lost.
import type { Redis } from "ioredis";
import type { BusTimings } from "./timings.ts";
import type { PartitionKeys } from "./keys.ts";
import { run } from "./redis-connection.ts";
import type { Script } from "./redis-scripts.ts";

export class RedisPartition {
  readonly keys: PartitionKeys;
  /** "" until opened. */
  epoch = "";
  readonly #client: Redis;
  readonly #timings: BusTimings;

  constructor(client: Redis, keys: PartitionKeys, timings: BusTimings) {
    this.#client = client;
    this.keys = keys;
    this.#timings = timings;
  }

  /** Calls a script with the arguments that all share. Rejects with PSEPOCH when the epoch is another one. */
  call(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    const { maxCrashes, lockTtlMs } = this.#timings;
    return run(this.#client, script, this.keys.all, [this.epoch, this.keys.lockPrefix, maxCrashes, lockTtlMs, ...args]);
  }
}

/** Scripts answer in lists of texts and numbers; anything else is an empty list. */
export function asList(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

export function asText(reply: unknown): string {
  return typeof reply === "string" ? reply : typeof reply === "number" ? String(reply) : "";
}
