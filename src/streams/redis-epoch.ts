// Opens groups and epochs, and notices loss (design.md 3.6): a missing or changed epoch, a missing group, another run id.
// On loss: everything held is aborted, takes wait a lock's life, and whoever asked is told, to publish all objects again.
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { AppError, messageOf } from "../runtime/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { metrics } from "../runtime/metrics.ts";
import { checkServer, run } from "./redis-connection.ts";
import { STATE_VERSION } from "./redis-lua.ts";
import { asList, asText } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { ENSURE } from "./redis-upkeep-scripts.ts";

export interface EpochOptions {
  readonly client: Redis;
  readonly partitions: readonly RedisPartition[];
  readonly lockTtlMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export class RedisEpoch {
  readonly #options: EpochOptions;
  readonly #callbacks: ((reason: string) => void)[] = [];
  #takesFrom = 0;
  #runId = "";
  #recovering: Promise<void> | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
  }

  onLoss(callback: (reason: string) => void): void {
    this.#callbacks.push(callback);
  }

  /** Ms that takes still have to wait: holders of a lost store are gone by then. */
  get holdOffMs(): number {
    return Math.max(0, this.#takesFrom - this.#options.clock.monotonic());
  }

  /** First opening; rejects when the server cannot be used or holds states of another version. */
  async open(): Promise<void> {
    const { client, log } = this.#options;
    this.#runId = await checkServer(client, log);
    await this.#ensureAll();
    client.on("ready", () => void this.#checkRunId());
  }

  /** After an error that says so; concurrent calls share one recovery. */
  recover(reason: string): Promise<void> {
    this.#recovering ??= this.#recover(reason).finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #recover(reason: string): Promise<void> {
    const changed = await this.#ensureAll();
    if (changed) this.#lost(reason);
  }

  #lost(reason: string): void {
    this.#options.log.warn({ err: new AppError("PS_STREAM_LOST", reason) }, "store lost, opening it anew");
    metrics.storeLosses.inc();
    for (const callback of this.#callbacks) callback(reason);
  }

  // Another server process after a reconnect: its data may be an older prefix of ours.
  async #checkRunId(): Promise<void> {
    const { client, clock, lockTtlMs, log } = this.#options;
    try {
      const runId = /^run_id:(\S+)/mu.exec(await client.info("server"))?.[1] ?? "";
      if (runId === this.#runId) return;
      this.#runId = runId;
      this.#takesFrom = Math.max(this.#takesFrom, clock.monotonic() + lockTtlMs);
      await this.#ensureAll();
      this.#lost("the server has another run id");
    } catch (err) {
      log.debug({ err: messageOf(err) }, "run id not read");
    }
  }

  async #ensureAll(): Promise<boolean> {
    const changed = await Promise.all(this.#options.partitions.map((partition) => this.#ensure(partition)));
    return changed.includes(true);
  }

  async #ensure(partition: RedisPartition): Promise<boolean> {
    const { client, clock, lockTtlMs } = this.#options;
    const remembered = partition.epoch;
    const reply = asList(await run(client, ENSURE, partition.keys.all, [randomUUID(), remembered, lockTtlMs]));
    const version = asText(reply[2]);
    if (version !== STATE_VERSION) {
      throw new AppError(
        "PS_STREAM_STATE_VERSION",
        `Redis holds states of version ${version}, this process writes version ${STATE_VERSION}`,
      );
    }
    this.#takesFrom = Math.max(this.#takesFrom, clock.monotonic() + Number(reply[1]));
    partition.epoch = asText(reply[0]);
    const changed = remembered !== "" && remembered !== partition.epoch;
    if (changed) this.#takesFrom = Math.max(this.#takesFrom, clock.monotonic() + lockTtlMs);
    return changed;
  }
}
