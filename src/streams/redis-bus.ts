// The bus on Redis Streams (design.md part 3): composes the small files around it and keeps their lives together.
// Redis is disposable here: what it loses, Kubernetes still has, and onLoss says when to publish everything again.
import type { Redis, RedisOptions } from "ioredis";
import { AppError } from "../runtime/errors.ts";
import type { BeatStore, Bus, ConsumeOptions, Consumer, DueMove, Lane, LaneDepth, LossWatch, Message, SpreadItem } from "./bus.ts";
import { splitField } from "./envelope.ts";
import { partitionKeys } from "./keys.ts";
import type { BusOptions, DeadLetter, DeadLetters } from "./options.ts";
import { partitionOf } from "./partition.ts";
import { commandClient, connect, isLoss, readerClient } from "./redis-connection.ts";
import { RedisConsumer } from "./redis-consumer.ts";
import { dropDead, listDead, showDead } from "./redis-dead-letters.ts";
import { fireTick, moveDue, spreadInto } from "./redis-delayed.ts";
import { RedisEndings } from "./redis-endings.ts";
import { RedisEpoch } from "./redis-epoch.ts";
import { RedisHeartbeat } from "./redis-heartbeat.ts";
import { acquireLease, releaseLease } from "./redis-lease.ts";
import { asList, RedisPartition } from "./redis-partition.ts";
import { RedisPublisher } from "./redis-publisher.ts";
import { DEPTH } from "./redis-upkeep-scripts.ts";
import { checkTimings } from "./timings.ts";

export interface RedisBusOptions extends BusOptions {
  /** redis:// or rediss:// */
  readonly url: string;
  /** First part of every key. */
  readonly prefix?: string;
  /** Pod name, dot, process start: unique per process life. */
  readonly consumer: string;
  readonly tls?: RedisOptions["tls"];
}

/** Throws ConfigError when the timings contradict each other; nothing is connected before `open`. */
export function createRedisBus(options: RedisBusOptions): Bus & BeatStore & LossWatch & DeadLetters {
  return new RedisBus(options);
}

class RedisBus implements Bus, BeatStore, LossWatch, DeadLetters {
  readonly #options: RedisBusOptions;
  readonly #prefix: string;
  readonly #client: Redis;
  readonly #partitions: readonly RedisPartition[];
  readonly #byKind: ReadonlyMap<string, readonly RedisPartition[]>;
  readonly #publishers: ReadonlyMap<RedisPartition, RedisPublisher>;
  readonly #endings: ReadonlyMap<RedisPartition, RedisEndings>;
  readonly #epoch: RedisEpoch;
  readonly #heartbeat: RedisHeartbeat;
  readonly #consumers = new Set<RedisConsumer>();
  readonly #readers = new Set<Redis>();
  readonly #abort = new AbortController();
  #beating: Promise<void> = Promise.resolve();
  #consumes = 0;

  constructor(options: RedisBusOptions) {
    const { timings, clock, log, topology } = options;
    checkTimings(timings);
    this.#options = options;
    this.#prefix = options.prefix ?? "ps";
    this.#client = commandClient(options);
    this.#partitions = Object.entries(topology).flatMap(([kind, count]) =>
      Array.from(
        { length: count },
        (_, partition) => new RedisPartition(this.#client, partitionKeys(this.#prefix, kind, partition), timings),
      ),
    );
    this.#byKind = Map.groupBy(this.#partitions, (partition) => partition.keys.kind);
    const recover = (reason: string): Promise<void> => this.#epoch.recover(reason);
    this.#publishers = new Map(this.#partitions.map((partition) => [partition, new RedisPublisher(partition, recover, log)]));
    this.#endings = new Map(this.#partitions.map((partition) => [partition, new RedisEndings(partition, clock, timings.lockTtlMs)]));
    this.#epoch = new RedisEpoch({ client: this.#client, partitions: this.#partitions, lockTtlMs: timings.lockTtlMs, clock, log });
    this.#heartbeat = new RedisHeartbeat({ consumer: options.consumer, timings, clock, log, recover });
    this.#epoch.onLoss((reason) => this.#heartbeat.loseAll(reason));
  }

  async open(): Promise<void> {
    await connect(this.#client);
    await this.#epoch.open();
    this.#beating = this.#heartbeat.run(this.#abort.signal);
  }

  async publish(messages: readonly Message[]): Promise<void> {
    const byPartition = Map.groupBy(messages, (message) => this.#home(message.kind, message.namespace, message.name));
    await Promise.all([...byPartition].map(async ([partition, group]) => this.#publishers.get(partition)?.publish(group)));
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const { consumer, timings, clock, log } = this.#options;
    const reader = readerClient(this.#options, timings.reclaimEveryMs);
    await connect(reader);
    const partitions = options.kinds.flatMap((kind) => this.#ofKind(kind));
    const suffix = this.#consumes === 0 ? "" : `.${this.#consumes}`;
    this.#consumes += 1;
    const running = new RedisConsumer(
      {
        reader,
        client: this.#client,
        consumer: consumer + suffix,
        partitions,
        endings: this.#endings,
        heartbeat: this.#heartbeat,
        epoch: this.#epoch,
        timings,
        clock,
        log,
      },
      options,
    );
    this.#readers.add(reader);
    this.#consumers.add(running);
    running.start();
    return running;
  }

  async spread(kind: string, items: readonly SpreadItem[]): Promise<void> {
    const byPartition = Map.groupBy(items, (item) => this.#home(kind, item.namespace, item.name));
    await Promise.all([...byPartition].map(([partition, group]) => spreadInto(partition, group)));
  }

  moveDue(): Promise<DueMove> {
    return this.#healing(() => moveDue(this.#partitions));
  }

  async seen(kind: string, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const home = (key: string): RedisPartition => {
      const { namespace, name } = splitField(key);
      return this.#home(kind, namespace, name);
    };
    await Promise.all(
      [...Map.groupBy(keys, home)].map(async ([partition, group]) => {
        for (let start = 0; start < group.length; start += 1000) {
          const part = group.slice(start, start + 1000);
          const digests = await this.#client.hmget(partition.keys.seen, ...part);
          for (const [index, key] of part.entries()) if (typeof digests[index] === "string") found.set(key, digests[index]);
        }
      }),
    );
    return found;
  }

  async depth(): Promise<readonly LaneDepth[]> {
    const lanes: readonly Lane[] = ["urgent", "bulk"];
    const replies = await this.#healing(() => Promise.all(this.#partitions.map((partition) => partition.call(DEPTH, []))));
    return this.#partitions.flatMap(({ keys: { kind, partition } }, index) => {
      const reply = asList(replies[index]).map(Number);
      return lanes.map((lane, place) => {
        const [lag = 0, pending = 0, oldestMs = 0] = reply.slice(place * 3, place * 3 + 3);
        return { kind, partition, lane, lag, pending, oldestMs };
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    this.#abort.abort();
    for (const publisher of this.#publishers.values()) publisher.close();
    await this.#beating;
    for (const client of [...this.#readers, this.#client]) client.disconnect();
  }

  acquireLease(holder: string, ttlMs: number): Promise<boolean> {
    return acquireLease(this.#client, this.#prefix, { holder, ttlMs });
  }

  releaseLease(holder: string): Promise<void> {
    return releaseLease(this.#client, this.#prefix, holder);
  }

  async now(): Promise<number> {
    const [seconds, micros] = await this.#client.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  fireTick(tick: { readonly kind: string; readonly schedule: string; readonly plannedAt: number }): Promise<boolean> {
    return this.#healing(() => fireTick(this.#first(tick.kind), tick));
  }

  async lastFired(kind: string, schedule: string): Promise<number | undefined> {
    const last = await this.#client.hget(this.#first(kind).keys.meta, `tick:${schedule}`);
    return last === null ? undefined : Number(last);
  }

  onLoss(callback: (reason: string) => void): void {
    this.#epoch.onLoss(callback);
  }

  list(kind: string): Promise<readonly DeadLetter[]> {
    return listDead(this.#client, this.#ofKind(kind));
  }

  show(kind: string, namespace: string, name: string): Promise<DeadLetter | undefined> {
    return showDead(this.#client, this.#home(kind, namespace, name), `${namespace}/${name}`);
  }

  async replay(kind: string, namespace: string, name: string): Promise<boolean> {
    const letter = await this.show(kind, namespace, name);
    if (!letter) return false;
    await this.publish([{ ...letter.message, cause: "replay", lane: "urgent", waking: true }]);
    return true;
  }

  drop(kind: string, namespace: string, name: string): Promise<boolean> {
    return dropDead(this.#home(kind, namespace, name), `${namespace}/${name}`);
  }

  // Once more after a loss was healed: beat's calls must not wait for a worker to notice it.
  async #healing<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!isLoss(error)) throw error;
      await this.#epoch.recover("epoch or group missing");
      return step();
    }
  }

  #ofKind(kind: string): readonly RedisPartition[] {
    const partitions = this.#byKind.get(kind);
    if (!partitions) throw new AppError("PS_STREAM_UNKNOWN_KIND", `no streams for kind ${kind}`);
    return partitions;
  }

  #first(kind: string): RedisPartition {
    return this.#at(kind, 0);
  }

  #home(kind: string, namespace: string, name: string): RedisPartition {
    return this.#at(kind, partitionOf(namespace, name, this.#ofKind(kind).length));
  }

  #at(kind: string, index: number): RedisPartition {
    const partition = this.#ofKind(kind)[index];
    if (!partition) throw new AppError("PS_STREAM_UNKNOWN_KIND", `${kind} has no partition ${index}`);
    return partition;
  }
}
