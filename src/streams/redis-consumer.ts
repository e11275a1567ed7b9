// One consume loop: reads no more than it has free slots, takes what it read in one script per stream, reclaims once per
// pass, hands deliveries out. redis-lanes.ts plans the reads, redis-heartbeat.ts keeps what is held, redis-endings.ts ends it.
import type { Redis } from "ioredis";
import { after, pause } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/errors.ts";
import type { Logger } from "../runtime/log.ts";
import type { ConsumeOptions, Consumer, Delivery } from "./bus.ts";
import { createDelivery } from "./delivery.ts";
import type { DoneResult, RetryFailure } from "./delivery.ts";
import { decode, fieldOf } from "./envelope.ts";
import { GROUP } from "./keys.ts";
import { isLoss } from "./redis-connection.ts";
import type { EndingArgs, RedisEndings } from "./redis-endings.ts";
import type { RedisEpoch } from "./redis-epoch.ts";
import { RedisHold } from "./redis-heartbeat.ts";
import type { RedisHeartbeat } from "./redis-heartbeat.ts";
import { LanePlanner } from "./redis-lanes.ts";
import type { ReadPlan, Source } from "./redis-lanes.ts";
import { asList, asText } from "./redis-partition.ts";
import type { RedisPartition } from "./redis-partition.ts";
import { reclaim, release } from "./redis-reclaim.ts";
import type { Taken } from "./redis-reclaim.ts";
import { TAKE } from "./redis-scripts.ts";
import { LEAVE } from "./redis-upkeep-scripts.ts";
import { trim } from "./redis-trim.ts";
import { backoffMs } from "./timings.ts";
import type { BusTimings } from "./timings.ts";

export interface ConsumerParts {
  readonly reader: Redis;
  readonly client: Redis;
  readonly consumer: string;
  readonly partitions: readonly RedisPartition[];
  readonly endings: ReadonlyMap<RedisPartition, RedisEndings>;
  readonly heartbeat: RedisHeartbeat;
  readonly epoch: RedisEpoch;
  readonly timings: BusTimings;
  readonly clock: Clock;
  readonly log: Logger;
}

/** When the take was sent (monotonic, ours) and carried out (the server's clock). */
interface TakenAt {
  readonly sentAt: number;
  readonly now: number;
}

type Entry = readonly [id: string, json: string];

export class RedisConsumer implements Consumer {
  readonly #parts: ConsumerParts;
  readonly #options: ConsumeOptions;
  readonly #planner: LanePlanner;
  readonly #abort = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #open = 0;
  #suspects = 0;
  #turnAt: number;
  #reclaimAt = 0;
  #turn = 0;
  #freed: (() => void) | undefined;

  constructor(parts: ConsumerParts, options: ConsumeOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#planner = new LanePlanner(parts.partitions, parts.timings.reclaimEveryMs);
    this.#turnAt = parts.clock.monotonic();
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Full slots and a reader that is reconnecting are no stall. */
  get idleForMs(): number {
    if (this.#open >= this.#options.slots || this.#parts.reader.status !== "ready") return 0;
    return this.#parts.clock.monotonic() - this.#turnAt;
  }

  async stop(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#freed?.();
    this.#parts.reader.disconnect();
    await this.#loop;
    await this.#eachPartition((partition) => release(partition, this.#parts.consumer, this.#openEntries(partition)));
    while (this.#open > 0) await this.#slotFreed();
    await this.#eachPartition((partition) => partition.call(LEAVE, [this.#parts.consumer]));
  }

  // Leaving politely is worth one try; what does not get through is reclaimed by others.
  async #eachPartition(step: (partition: RedisPartition) => Promise<unknown>): Promise<void> {
    const settled = await Promise.allSettled(this.#parts.partitions.map((partition) => step(partition)));
    for (const one of settled)
      if (one.status === "rejected") this.#parts.log.debug({ err: messageOf(one.reason) }, "farewell not delivered");
  }

  #openEntries(partition: RedisPartition): string[] {
    return [...this.#parts.heartbeat.holds].filter((hold) => hold.partition === partition).map((hold) => `${hold.lane} ${hold.id}`);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts;
    let waitMs = 20;
    while (!this.#abort.signal.aborted) {
      this.#turnAt = clock.monotonic();
      try {
        await this.#step();
        waitMs = 20;
      } catch (error) {
        if (this.#stopping()) return;
        log.warn({ err: error }, "read failed");
        await pause(waitMs, this.#abort.signal);
        waitMs = Math.min(waitMs * 2, 1000);
        if (isLoss(error)) await this.#recover();
      }
    }
  }

  #stopping(): boolean {
    return this.#abort.signal.aborted;
  }

  async #recover(): Promise<void> {
    await this.#parts.epoch
      .recover("epoch or group missing at read")
      .catch((err: unknown) => this.#parts.log.warn({ err }, "store not opened"));
  }

  async #step(): Promise<void> {
    const { epoch, clock, timings } = this.#parts;
    const free = this.#options.slots - this.#open;
    if (free < 1) return this.#slotFreed();
    if (epoch.holdOffMs > 0) return pause(Math.min(epoch.holdOffMs, 100), this.#abort.signal);
    if (clock.monotonic() >= this.#reclaimAt) {
      this.#reclaimAt = clock.monotonic() + timings.reclaimEveryMs;
      return this.#reclaim();
    }
    const plan = this.#planner.plan(free);
    const lists = await this.#read(plan);
    this.#planner.note(plan, new Map(lists.map(([source, entries]) => [source.stream, entries.length])));
    for (const [source, entries] of lists) void this.#take(source, entries);
  }

  #slotFreed(): Promise<void> {
    return new Promise((resolve) => {
      // The timer is a safety net only: stop and reclaim must not hang on a lost wake-up.
      const cancel = after(this.#parts.timings.reclaimEveryMs, () => resolve());
      this.#freed = () => {
        cancel();
        resolve();
      };
    });
  }

  #free(): void {
    this.#open -= 1;
    this.#freed?.();
  }

  async #reclaim(): Promise<void> {
    const { partitions, consumer, timings, log } = this.#parts;
    this.#turn += 1;
    for (let index = 0; index < partitions.length; index++) {
      const partition = partitions[(index + this.#turn) % partitions.length];
      const slots = this.#options.slots - this.#open;
      if (!partition || slots < 1) break;
      const sentAt = this.#parts.clock.monotonic();
      const { now, taken } = await reclaim(partition, {
        consumer,
        idleMs: timings.idleMs,
        slots,
        suspects: Math.max(0, 1 - this.#suspects),
      });
      this.#open += taken.length;
      for (const one of taken) this.#deliver(partition, one, { sentAt, now });
    }
    void trim(partitions, consumer).catch((err: unknown) => log.debug({ err: messageOf(err) }, "trim failed"));
  }

  async #read(plan: ReadPlan): Promise<[Source, Entry[]][]> {
    const { reader, consumer } = this.#parts;
    const streams = plan.sources.map((source) => source.stream);
    const ids = streams.map(() => ">");
    const reply =
      plan.blockMs === undefined
        ? await reader.xreadgroup("GROUP", GROUP, consumer, "COUNT", plan.count, "STREAMS", ...streams, ...ids)
        : await reader.xreadgroup(
            "GROUP",
            GROUP,
            consumer,
            "COUNT",
            plan.count,
            "BLOCK",
            Math.max(1, Math.round(plan.blockMs)),
            "STREAMS",
            ...streams,
            ...ids,
          );
    const lists: [Source, Entry[]][] = [];
    for (const [stream, items] of reply ?? []) {
      const source = plan.sources.find((candidate) => candidate.stream === stream);
      if (source) lists.push([source, items.map(([id, members]) => [id, members?.[1] ?? ""] as const)]);
    }
    return lists;
  }

  async #take({ partition, lane }: Source, entries: readonly Entry[]): Promise<void> {
    this.#open += entries.length;
    const readable = entries.filter(([id, json]) => this.#readable(partition, lane, { id, json }));
    if (readable.length === 0) return;
    const sentAt = this.#parts.clock.monotonic();
    try {
      const args = readable.flatMap(([id, json]) => [id, keyOf(json)]);
      const reply = asList(await partition.call(TAKE, [lane === "urgent" ? "u" : "b", ...args]));
      const at = { sentAt, now: Number(reply[0]) };
      for (const [index, [id, json]] of readable.entries()) this.#settle(partition, { lane, id, json, hold: asText(reply[index + 1]) }, at);
    } catch (error) {
      // The entries stay pending with this consumer: reclaim has them after the idle time.
      readable.forEach(() => this.#free());
      this.#parts.log.warn({ err: error }, "take failed");
      if (isLoss(error)) await this.#recover();
    }
  }

  #settle(partition: RedisPartition, taken: Taken, at: TakenAt): void {
    if (taken.hold === "x" || taken.hold === "d" || taken.hold === "") this.#free();
    else this.#deliver(partition, taken, at);
  }

  // An entry that is no message is buried at once and stops nobody (AC-7).
  #readable(partition: RedisPartition, lane: Source["lane"], { id, json }: { readonly id: string; readonly json: string }): boolean {
    if (decode(json, lane)) return true;
    const { client, log } = this.#parts;
    log.error({ kind: partition.keys.kind, partition: partition.keys.partition, entry: id }, "undecodable entry buried");
    const stream = lane === "urgent" ? partition.keys.urgent : partition.keys.bulk;
    void client
      .multi()
      .xadd(
        partition.keys.dead,
        "*",
        "m",
        json.slice(0, 1024),
        "cause",
        "undecodable entry",
        "lane",
        lane === "urgent" ? "u" : "b",
        "key",
        "/",
      )
      .xack(stream, GROUP, id)
      .exec()
      .catch((err: unknown) => log.warn({ err }, "undecodable entry not buried"))
      .finally(() => this.#free());
    return false;
  }

  #deliver(partition: RedisPartition, taken: Taken, at: TakenAt): void {
    const message = decode(taken.json, taken.lane);
    const [token = "", attempts, crashes, uid = ""] = taken.hold.split(" ");
    if (!message) return this.#free();
    const suspect = Number(crashes) >= 2;
    const hold = new RedisHold(
      { partition, lane: taken.lane === "urgent" ? "u" : "b", id: taken.id, field: fieldOf(message), token, suspect, json: taken.json },
      this.#parts.heartbeat.gate(at.sentAt),
    );
    if (suspect) this.#suspects += 1;
    this.#parts.heartbeat.add(hold);
    const delivery = createDelivery(
      {
        message: uid === "*" ? message : { ...message, uid },
        partition: partition.keys.partition,
        fencing: Number(token),
        attempts: Number(attempts),
        crashes: Number(crashes),
        waitedMs: Math.max(0, at.now - Number(taken.id.split("-")[0])),
        signal: hold.abort.signal,
      },
      this.#endingsOf(hold, Number(attempts)),
      () => this.#ended(hold),
    );
    this.#handOut(delivery);
  }

  // What arrives after stop was asked is unstarted: straight back.
  #handOut(delivery: Delivery): void {
    if (!this.#abort.signal.aborted) this.#options.onDelivery(delivery);
    else delivery.handBack().catch((err: unknown) => this.#parts.log.debug({ err: messageOf(err) }, "hand-back refused"));
  }

  #ended(hold: RedisHold): void {
    this.#parts.heartbeat.remove(hold);
    if (hold.suspect) this.#suspects -= 1;
    this.#free();
  }

  #endingsOf(hold: RedisHold, attempts: number): Parameters<typeof createDelivery>[1] {
    const { timings } = this.#parts;
    const end = (op: string, a: string | number, b: string, c: string | number): Promise<void> =>
      this.#end(hold, [op, hold.lane, hold.id, hold.field, hold.token, a, b, c, op === "hold" || op === "bury" ? hold.json : ""]);
    return {
      done: ({ requeueAfterMs, digest, gone }: DoneResult) =>
        end("done", requeueAfterMs === undefined ? "" : Math.max(0, Math.round(requeueAfterMs)), digest ?? "", gone === true ? "1" : ""),
      retry: ({ cause, counted, afterMs }: RetryFailure) => {
        const failed = attempts + (counted ? 1 : 0);
        if (counted && failed >= timings.maxAttempts) return end("bury", "", cause, failed);
        if (afterMs !== undefined) return end("hold", Math.max(0, Math.round(afterMs)), cause, failed);
        return end("retry", backoffMs(timings, hold.field, Math.max(1, failed)), cause, failed);
      },
      bury: ({ cause }) => end("bury", "", cause, attempts + 1),
      handBack: () => end("back", "", "", ""),
      writableUntil: () => hold.writableUntil,
    };
  }

  #end(hold: RedisHold, args: EndingArgs): Promise<void> {
    hold.endingStarted();
    const endings = this.#parts.endings.get(hold.partition);
    return endings ? endings.end(args) : Promise.resolve();
  }
}

const KEY = /"namespace":"([^"]*)","name":"([^"]*)"/u;

// The field of a wire text, as the scripts find it.
function keyOf(json: string): string {
  const [, namespace = "", name = ""] = KEY.exec(json) ?? [];
  return `${namespace}/${name}`;
}
