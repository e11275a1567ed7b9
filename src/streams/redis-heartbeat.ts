// What this process holds: proves it to Redis once per heartbeat and partition, in one script, and aborts what is lost or
// could not be proved in time. The write gate (design.md 3.2) counts from the send time of the last confirmed renewal.
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { every } from "../runtime/abort.ts";
import { isLoss } from "./redis-connection.ts";
import { asList } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { HEARTBEAT } from "./redis-scripts.ts";
import type { BusTimings } from "./timings.ts";
import { writeMarginMs } from "./timings.ts";
import { AppError } from "../runtime/errors.ts";

/** One running key. */
export class RedisHold {
  readonly partition: RedisPartition;
  /** "u" or "b", entry id, field, fencing number as text: the identity of the hold in every script. */
  readonly lane: string;
  readonly id: string;
  readonly field: string;
  readonly token: string;
  readonly suspect: boolean;
  /** JSON of the message, for a dead letter or a held key. */
  readonly json: string;
  readonly abort = new AbortController();
  writableUntil: number;
  ending = false;

  constructor(taken: Pick<RedisHold, "partition" | "lane" | "id" | "field" | "token" | "suspect" | "json">, writableUntil: number) {
    this.partition = taken.partition;
    this.lane = taken.lane;
    this.id = taken.id;
    this.field = taken.field;
    this.token = taken.token;
    this.suspect = taken.suspect;
    this.json = taken.json;
    this.writableUntil = writableUntil;
  }

  /** An ending is on its way: a heartbeat that crosses it must not read it as a loss. */
  endingStarted(): void {
    this.ending = true;
  }

  /** No write may start any more, and the run is told so. */
  lose(reason: string): void {
    this.writableUntil = Number.NEGATIVE_INFINITY;
    this.abort.abort(new AppError("PS_STREAM_LOCK_LOST", `${this.field}: ${reason}`));
  }
}

export interface HeartbeatOptions {
  readonly consumer: string;
  readonly timings: BusTimings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recover: (reason: string) => Promise<void>;
}

export class RedisHeartbeat {
  readonly #options: HeartbeatOptions;
  readonly #holds = new Set<RedisHold>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  get holds(): ReadonlySet<RedisHold> {
    return this.#holds;
  }

  /** End of the write gate for a take or renewal that was sent at `sentAt`. */
  gate(sentAt: number): number {
    return sentAt + this.#options.timings.lockTtlMs - writeMarginMs(this.#options.timings);
  }

  add(hold: RedisHold): void {
    this.#holds.add(hold);
  }

  remove(hold: RedisHold): void {
    this.#holds.delete(hold);
  }

  loseAll(reason: string): void {
    for (const hold of this.#holds) hold.lose(reason);
  }

  /** Runs until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    // Two loops: a renewal that hangs must not keep the check from aborting in time.
    const { heartbeatMs } = this.#options.timings;
    await Promise.all([
      every(heartbeatMs, signal, () => this.#renewAll()),
      every(Math.max(5, heartbeatMs / 10), signal, () => this.#expire()),
    ]);
  }

  #expire(): Promise<void> {
    const now = this.#options.clock.monotonic();
    for (const hold of this.#holds) {
      if (hold.writableUntil <= now && !hold.abort.signal.aborted) hold.lose("not renewed in time");
    }
    return Promise.resolve();
  }

  async #renewAll(): Promise<void> {
    const byPartition = Map.groupBy(this.#holds, (hold) => hold.partition);
    await Promise.all([...byPartition].map(([partition, holds]) => this.#renew(partition, holds)));
  }

  async #renew(partition: RedisPartition, holds: readonly RedisHold[]): Promise<void> {
    const sentAt = this.#options.clock.monotonic();
    try {
      const args = holds.flatMap((hold) => [hold.lane, hold.id, hold.field, hold.token]);
      const reply = asList(await partition.call(HEARTBEAT, [this.#options.consumer, ...args]));
      for (const [index, hold] of holds.entries()) this.#settle(hold, reply[index] === 1, sentAt);
    } catch (error) {
      this.#options.log.warn({ err: error }, "heartbeat failed");
      if (isLoss(error)) await this.#options.recover("epoch or group missing at heartbeat").catch(() => undefined);
    }
  }

  #settle(hold: RedisHold, renewed: boolean, sentAt: number): void {
    if (hold.abort.signal.aborted) return;
    if (renewed) hold.writableUntil = Math.max(hold.writableUntil, this.gate(sentAt));
    // An ending on its way looks like a loss to a heartbeat sent after it.
    else if (!hold.ending) hold.lose("another holder has the key");
  }
}
