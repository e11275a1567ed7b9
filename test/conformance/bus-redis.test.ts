// The bus contract on a real Redis, and what only Redis can do: dead workers, foreign locks, wiped stores, lost heartbeats.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { pino } from "pino";
import { systemClock } from "../../src/runtime/clock.ts";
import { partitionOf } from "../../src/streams/partition.ts";
import { createRedisBus } from "../../src/streams/redis-bus.ts";
import { startRedis } from "../support/redis.ts";
import type { RedisServer } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { backlog, busConformance, Collector, drained, finish, message, TIMINGS, TOPOLOGY } from "./bus.ts";
import type { Installation, TestedBus } from "./bus.ts";

let server: RedisServer;
let admin: Redis;
let installations = 0;

before(async () => {
  server = await startRedis();
  admin = new Redis(server.url, { protocol: 2 });
});
after(async () => {
  admin.disconnect();
  await server.stop();
});

interface RedisInstallation extends Installation {
  readonly prefix: string;
}

function install(): Promise<RedisInstallation> {
  installations += 1;
  const prefix = `t${installations}`;
  const buses: TestedBus[] = [];
  return Promise.resolve({
    prefix,
    bus: async () => {
      const bus = createRedisBus({
        url: server.url,
        prefix,
        topology: TOPOLOGY,
        timings: TIMINGS,
        clock: systemClock,
        log: pino({ level: process.env["TEST_LOG"] ?? "silent" }),
        consumer: `pod-${buses.length}.1`,
      });
      buses.push(bus);
      await bus.open();
      return bus;
    },
    close: async () => {
      // What a test left open ends here: close waits for every delivery.
      await Promise.all(buses.map((bus) => Promise.race([bus.close(), new Promise((resolve) => setTimeout(resolve, 300).unref())])));
    },
  });
}

busConformance({ name: "redis", install });

describe("redis: faults", () => {
  let installation: RedisInstallation;
  const fresh = async (): Promise<TestedBus> => {
    installation = await install();
    return installation.bus();
  };
  afterEach(async () => {
    await installation.close();
    const keys = await admin.keys(`${installation.prefix}:*`);
    if (keys.length > 0) await admin.del(...keys);
  });
  const base = (name: string, kind: "things" | "others" = "things"): string =>
    `${installation.prefix}:{${kind}:${partitionOf("ns", name, TOPOLOGY[kind])}}`;
  it("a dead worker's key is taken by another, crashes + 1, nothing else counted", async () => {
    const bus = await fresh();
    await bus.publish([message("orphan")]);
    // What a worker leaves behind that died in mid-run: pending at its consumer, state running, lock about to expire.
    const [, entry] = await orphan("orphan", "dead.1");
    const seen = await new Collector().start(bus);
    const delivery = await seen.nth(0);
    assert.equal(delivery.crashes, 1);
    assert.equal(delivery.attempts, 0);
    assert.ok(entry);
    await delivery.done({});
    await drained(bus);
  });

  // Reads and takes the key's entry as consumer `who`, without a heartbeat: a worker that dies right after the take.
  async function orphan(name: string, who: string, crashes = 0): Promise<[string, string]> {
    const stream = `${base(name)}:urgent`;
    const reply = await admin.xreadgroup("GROUP", "workers", who, "COUNT", 1, "STREAMS", stream, ">");
    const id = reply?.[0]?.[1][0]?.[0] ?? "";
    const state = String(await admin.hget(`${base(name)}:keys`, `ns/${name}`)).split("|");
    state[0] = "r";
    state[3] = "12345";
    state[6] = String(crashes);
    await admin.hset(`${base(name)}:keys`, `ns/${name}`, state.join("|"));
    await admin.set(`${base(name)}:lock:ns/${name}`, `${id} 12345`, "PX", TIMINGS.lockTtlMs);
    return [stream, id];
  }

  it("a key whose runs kill workers is buried at the limit, not run", async () => {
    const bus = await fresh();
    await bus.publish([message("killer")]);
    await orphan("killer", "dead.1", TIMINGS.maxCrashes - 1);
    const seen = await new Collector().start(bus, finish);
    const letter = await waitFor("the dead letter", () => bus.show("things", "ns", "killer"), { intervalMs: 10 });
    assert.equal(letter.crashes, TIMINGS.maxCrashes);
    assert.equal(letter.message.name, "killer");
    assert.match(letter.cause, /died 3 times/u);
    assert.equal(seen.deliveries.length, 0);
    await bus.publish([message("killer", { waking: false, cause: "resync", lane: "bulk" })]);
    assert.deepEqual(await backlog(bus), { lag: 0, pending: 0 }, "a resync does not revive it");
  });

  it("an entry that was read and never locked comes back without a crash", async () => {
    const bus = await fresh();
    await bus.publish([message("read")]);
    await admin.xreadgroup("GROUP", "workers", "dead.1", "COUNT", 1, "STREAMS", `${base("read")}:urgent`, ">");
    const seen = await new Collector().start(bus, finish);
    assert.equal((await seen.nth(0)).crashes, 0);
  });

  it("a foreign lock: nothing is counted, one entry at most, and it runs after the release", async () => {
    const bus = await fresh();
    const lock = `${base("locked")}:lock:ns/locked`;
    await admin.set(lock, "somebody else");
    const seen = await new Collector().start(bus, finish);
    for (let index = 0; index < 20; index++) await bus.publish([message("locked")]);
    await bus.publish([message("free")]);
    await waitFor("the other key", () => seen.names().includes("free"));
    await waitFor(
      "several reclaim passes",
      async () => Number(await admin.call("OBJECT", "FREQ", lock).catch(() => "1")) >= 0 && (await backlog(bus)).pending === 1,
    );
    assert.deepEqual(seen.names(), ["free"]);
    assert.deepEqual(await backlog(bus), { lag: 0, pending: 1 });
    assert.equal(await admin.get(lock), "somebody else");
    await admin.del(lock);
    const delivery = await waitFor("the locked key", () => seen.deliveries.find((each) => each.message.name === "locked"), {
      timeoutMs: 2000,
    });
    assert.equal(delivery.attempts, 0);
    assert.equal(delivery.crashes, 0);
  });

  it("a long run is not taken by another and stays writable", async () => {
    const bus = await fresh();
    const other = await installation.bus();
    const seen = await new Collector().start(bus);
    await bus.publish([message("long")]);
    const delivery = await seen.nth(0);
    const rival = await new Collector().start(other);
    const began = performance.now();
    await waitFor("ten lock lives", () => performance.now() - began > TIMINGS.lockTtlMs * 10);
    assert.equal(rival.deliveries.length, 0);
    assert.equal(delivery.signal.aborted, false);
    assert.ok(delivery.writableUntil() > systemClock.monotonic());
    await delivery.done({});
    await drained(bus);
  });

  it("a lock taken by another aborts the run, and its ending counts for nothing", async () => {
    const bus = await fresh();
    const seen = await new Collector().start(bus);
    await bus.publish([message("stolen")]);
    const delivery = await seen.nth(0);
    const state = String(await admin.hget(`${base("stolen")}:keys`, "ns/stolen")).split("|");
    state[3] = "999";
    await admin.hset(`${base("stolen")}:keys`, "ns/stolen", state.join("|"));
    await admin.set(`${base("stolen")}:lock:ns/stolen`, `${state[1]} 999`);
    await waitFor("the abort", () => delivery.signal.aborted, { intervalMs: 5, timeoutMs: 1000 });
    assert.ok(delivery.writableUntil() < systemClock.monotonic());
    await assert.rejects(delivery.done({}), { code: "PS_STREAM_LOCK_LOST" });
    assert.equal(await admin.get(`${base("stolen")}:lock:ns/stolen`), `${state[1]} 999`, "the other's lock stands");
  });

  it("a lapsed lock that nobody took is no loss", async () => {
    const bus = await fresh();
    const seen = await new Collector().start(bus);
    await bus.publish([message("lapsed")]);
    const delivery = await seen.nth(0);
    await admin.del(`${base("lapsed")}:lock:ns/lapsed`);
    await delivery.done({});
    await drained(bus);
    assert.equal(seen.deliveries.length, 1);
  });

  it("while Redis stands still the run is aborted before its lock can expire, and all goes on after", async () => {
    const bus = await fresh();
    const seen = await new Collector().start(bus);
    await bus.publish([message("frozen")]);
    const delivery = await seen.nth(0);
    const frozenAt = performance.now();
    server.pause();
    try {
      await waitFor("the abort", () => delivery.signal.aborted, { intervalMs: 2, timeoutMs: 1000 });
      assert.ok(performance.now() - frozenAt < TIMINGS.lockTtlMs, "before the lock's life is over");
    } finally {
      server.resume();
    }
    await delivery.handBack().catch(() => undefined);
    const again = await seen.nth(1);
    await again.done({});
    await drained(bus);
  });

  it("FLUSHALL in the middle: groups come back, loss is told, holds are aborted, what is published runs", async () => {
    const bus = await fresh();
    const reasons: string[] = [];
    bus.onLoss((reason) => reasons.push(reason));
    const seen = await new Collector().start(bus);
    await bus.publish([message("held")]);
    const held = await seen.nth(0);
    await admin.flushall();
    await waitFor("the loss", () => reasons.length > 0, { intervalMs: 5, timeoutMs: 3000 });
    assert.equal(held.signal.aborted, true);
    await assert.rejects(held.done({}));
    const lostAt = performance.now();
    await bus.publish([message("held"), message("other")]);
    const next = await seen.nth(1);
    assert.ok(performance.now() - lostAt > TIMINGS.lockTtlMs / 3, "takes wait for old holders to be gone");
    assert.ok(next.fencing > held.fencing, "fencing rises across the wipe");
    await seen.nth(2);
    seen.deliveries.slice(1).forEach(finish);
    await drained(bus);
    assert.equal(reasons.length, 1);
  });

  it("a publish across a wipe is not lost", async () => {
    const bus = await fresh();
    await admin.flushall();
    await bus.publish([message("across")]);
    const seen = await new Collector().start(bus, finish);
    assert.equal((await seen.nth(0)).message.name, "across");
  });

  it("a queued mark whose entry is gone silences nothing", async () => {
    const bus = await fresh();
    await bus.publish([message("silent")]);
    await admin.call("XTRIM", `${base("silent")}:urgent`, "MAXLEN", "0");
    await bus.publish([message("silent")]);
    const seen = await new Collector().start(bus, finish);
    assert.equal((await seen.nth(0)).message.name, "silent");
  });

  it("an undecodable entry is buried at once and stops nobody", async () => {
    const bus = await fresh();
    await admin.xadd(`${base("bad", "others")}:urgent`, "*", "m", "{nonsense");
    await bus.publish([message("good", { kind: "others" })]);
    const seen = await new Collector().start(bus, finish);
    assert.equal((await seen.nth(0)).message.name, "good");
    const [letter] = await waitFor("the dead letter", async () => {
      const letters = await bus.list("others");
      return letters.length > 0 && letters;
    });
    assert.equal(letter?.cause, "undecodable entry");
    await drained(bus);
  });

  it("history is trimmed, lag stays exact, states and locks go with the work", async () => {
    const bus = await fresh();
    const seen = await new Collector().start(bus, finish, 50);
    await bus.publish(Array.from({ length: 1000 }, (_, index) => message(`thing-${index}`, { kind: "others" })));
    await waitFor("1000 deliveries", () => seen.deliveries.length === 1000);
    await drained(bus);
    const stream = `${base("x", "others")}:urgent`;
    await waitFor("the trim", async () => (await admin.xlen(stream)) <= 200);
    assert.equal(await admin.exists(`${base("x", "others")}:keys`), 0);
    assert.deepEqual(await admin.keys(`${installation.prefix}:*:lock:*`), []);
    const groups = (await admin.call("XINFO", "GROUPS", stream)) as unknown[][];
    const lag = groups[0]?.[groups[0].indexOf("lag") + 1];
    assert.equal(lag, 0);
  });

  it("a consumer that stops leaves no consumer and no pending entry behind", async () => {
    const bus = await fresh();
    await bus.publish(Array.from({ length: 30 }, (_, index) => message(`thing-${index}`, { kind: "others" })));
    const seen = await new Collector().start(bus, undefined, 10);
    await seen.nth(9);
    const stopping = seen.consumer?.stop();
    await Promise.all(seen.deliveries.map((delivery) => delivery.handBack()));
    await stopping;
    const consumers = (await admin.call("XINFO", "CONSUMERS", `${base("x", "others")}:urgent`, "workers")) as unknown[][];
    assert.deepEqual(
      consumers.map((row) => row[1]),
      ["retry"],
    );
    const next = await new Collector().start(await installation.bus(), finish, 10);
    await waitFor("all 30", () => next.deliveries.length === 30, { timeoutMs: 3000 });
  });

  it("a store of another state version is refused", async () => {
    await fresh();
    await admin.hset(`${base("x", "others")}:meta`, "version", "0");
    await assert.rejects(installation.bus(), { code: "PS_STREAM_STATE_VERSION" });
  });

  it("Redis away while publishing: the publish waits and arrives", async () => {
    const bus = await fresh();
    await server.kill();
    const publishing = bus.publish([message("patient"), message("patient2")]);
    await server.restart();
    await publishing;
    const seen = await new Collector().start(bus, finish);
    await waitFor("both", () => new Set(seen.names()).size === 2);
  });
});
