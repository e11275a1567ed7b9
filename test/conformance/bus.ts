// The Bus contract as a suite that every bus must pass (src/streams/bus.ts, design.md part 3). bus-memory.test.ts and
// bus-redis.test.ts run it; what one of them cannot do by nature is a capability. Each test has an installation of its own.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { BeatStore, Bus, Consumer, Delivery, LossWatch, Message } from "../../src/streams/bus.ts";
import type { DeadLetters } from "../../src/streams/options.ts";
import { waitFor } from "../support/wait.ts";

export type TestedBus = Bus & BeatStore & LossWatch & DeadLetters;

/** One store; several buses (processes) on it where the store is shared. */
export interface Installation {
  /** A further process on the same store; the memory bus gives the same one. */
  bus(): Promise<TestedBus>;
  close(): Promise<void>;
}

export interface Capabilities {
  readonly name: string;
  readonly install: () => Promise<Installation>;
}

export const TIMINGS = {
  heartbeatMs: 50,
  lockTtlMs: 150,
  idleMs: 150,
  reclaimEveryMs: 50,
  backoffBaseMs: 40,
  backoffMaxMs: 200,
  maxAttempts: 3,
  maxCrashes: 3,
};
export const TOPOLOGY = { things: 4, others: 1 };

export function message(name: string, over: Partial<Message> = {}): Message {
  return {
    kind: "things",
    namespace: "ns",
    name,
    uid: `uid-${name}`,
    cause: "test",
    lane: "urgent",
    waking: true,
    eventId: `event-${name}`,
    traceparent: "",
    ...over,
  };
}

/** Collects deliveries; `handler` decides, and stays with the test when it does nothing. */
export class Collector {
  readonly deliveries: Delivery[] = [];
  consumer: Consumer | undefined;

  async start(bus: Bus, handler: (delivery: Delivery) => void = () => undefined, slots = 10): Promise<this> {
    this.consumer = await bus.consume({
      kinds: Object.keys(TOPOLOGY),
      slots,
      onDelivery: (delivery) => {
        this.deliveries.push(delivery);
        handler(delivery);
      },
    });
    return this;
  }

  /** The nth delivery (from 0), as soon as there is one. */
  nth(index: number): Promise<Delivery> {
    return waitFor(`delivery ${index}`, () => this.deliveries[index], { intervalMs: 5, timeoutMs: 5000 });
  }

  names(): string[] {
    return this.deliveries.map((delivery) => delivery.message.name);
  }
}

/** Nothing waits and nothing runs. */
export async function drained(bus: Bus): Promise<void> {
  await waitFor("an empty backlog", async () => (await bus.depth()).every(({ lag, pending }) => lag === 0 && pending === 0), {
    intervalMs: 10,
    timeoutMs: 5000,
  });
}

export async function backlog(bus: Bus): Promise<{ lag: number; pending: number }> {
  const rows = await bus.depth();
  return { lag: rows.reduce((sum, row) => sum + row.lag, 0), pending: rows.reduce((sum, row) => sum + row.pending, 0) };
}

/** The handler that is content. */
export function finish(delivery: Delivery): void {
  void delivery.done({});
}

export function busConformance({ name, install }: Capabilities): void {
  describe(`${name}: bus contract`, () => {
    let installation: Installation | undefined;
    const fresh = async (): Promise<TestedBus> => {
      installation = await install();
      return installation.bus();
    };
    const another = async (): Promise<TestedBus> => {
      assert.ok(installation);
      return installation.bus();
    };
    afterEach(async () => {
      await installation?.close();
      installation = undefined;
    });
    it("delivers every published key", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus, finish);
      await bus.publish(Array.from({ length: 200 }, (_, index) => message(`thing-${index}`)));
      await waitFor("200 deliveries", () => seen.deliveries.length >= 200, { intervalMs: 5 });
      await drained(bus);
      assert.equal(new Set(seen.names()).size, 200);
      assert.equal(seen.deliveries.length, 200);
    });

    it("delivers what was published before anybody consumed", async () => {
      const bus = await fresh();
      await bus.publish([message("early")]);
      assert.deepEqual(await backlog(bus), { lag: 1, pending: 0 });
      const seen = await new Collector().start(bus, finish);
      const delivery = await seen.nth(0);
      assert.equal(delivery.message.uid, "uid-early");
      assert.equal(delivery.message.eventId, "event-early");
      assert.equal(delivery.message.lane, "urgent");
      assert.ok(delivery.waitedMs >= 0 && delivery.waitedMs < 5000);
    });

    it("coalesces while queued: 100 publishes are one entry and one run", async () => {
      const bus = await fresh();
      for (let index = 0; index < 100; index++) await bus.publish([message("one")]);
      assert.deepEqual(await backlog(bus), { lag: 1, pending: 0 });
      const seen = await new Collector().start(bus, finish);
      await seen.nth(0);
      await drained(bus);
      assert.equal(seen.deliveries.length, 1);
    });

    it("a different uid while queued makes the message about any uid", async () => {
      const bus = await fresh();
      await bus.publish([message("reborn", { uid: "old" })]);
      await bus.publish([message("reborn", { uid: "new" })]);
      const seen = await new Collector().start(bus, finish);
      assert.equal((await seen.nth(0)).message.uid, "");
    });

    it("publishes during a run lead to exactly one further run, after it", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("busy")]);
      const first = await seen.nth(0);
      for (let index = 0; index < 20; index++) await bus.publish([message("busy", { eventId: `later-${index}` })]);
      assert.equal(seen.deliveries.length, 1, "nothing runs beside the first");
      await first.done({});
      const second = await seen.nth(1);
      assert.ok(second.fencing > first.fencing);
      assert.equal(second.message.eventId, "later-19");
      await second.done({});
      await drained(bus);
      assert.equal(seen.deliveries.length, 2);
    });

    it("one run per key among three consumers", async () => {
      const bus = await fresh();
      const running = new Set<string>();
      let overlaps = 0;
      let runs = 0;
      const handler = (delivery: Delivery): void => {
        const key = delivery.message.name;
        if (running.has(key)) overlaps += 1;
        running.add(key);
        runs += 1;
        setTimeout(() => {
          running.delete(key);
          void delivery.done({});
        }, 3);
      };
      for (const each of [bus, await another(), await another()]) await new Collector().start(each, handler);
      for (let round = 0; round < 20; round++) {
        await bus.publish(Array.from({ length: 10 }, (_, index) => message(`thing-${index}`)));
      }
      await drained(bus);
      assert.equal(overlaps, 0);
      assert.ok(runs >= 10 && runs <= 200);
    });

    it("keeps the order of keys within a partition", async () => {
      const bus = await fresh();
      const names = Array.from({ length: 50 }, (_, index) => `thing-${index}`);
      for (const each of names) await bus.publish([message(each, { kind: "others" })]);
      const seen = await new Collector().start(bus, finish, 5);
      await waitFor("50 deliveries", () => seen.deliveries.length === 50, { intervalMs: 5 });
      assert.deepEqual(seen.names(), names);
    });

    it("never has more deliveries open than slots", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus, undefined, 3);
      await bus.publish(Array.from({ length: 20 }, (_, index) => message(`thing-${index}`)));
      await seen.nth(2);
      const ended = new Set<Delivery>();
      while (ended.size < 20) {
        const open = seen.deliveries.filter((delivery) => !ended.has(delivery));
        assert.ok(open.length <= 3, `${open.length} open`);
        const [next] = open;
        if (next) {
          ended.add(next);
          await next.done({});
        } else await waitFor("a further delivery", () => seen.deliveries.length > ended.size, { intervalMs: 2 });
      }
    });

    it("retries with growing attempts and succeeds", async () => {
      const bus = await fresh();
      const at: number[] = [];
      const seen = await new Collector().start(bus, (delivery) => {
        at.push(performance.now());
        if (delivery.attempts < 2) void delivery.retry({ cause: "not yet", counted: true });
        else void delivery.done({});
      });
      await bus.publish([message("failing")]);
      await seen.nth(2);
      await drained(bus);
      assert.deepEqual(
        seen.deliveries.map((delivery) => delivery.attempts),
        [0, 1, 2],
      );
      assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= TIMINGS.backoffBaseMs * 0.7, "the first wait is the backoff");
      assert.ok((at[2] ?? 0) - (at[1] ?? 0) >= TIMINGS.backoffBaseMs * 2 * 0.7, "the second is longer");
    });

    it("an uncounted failure leaves attempts alone", async () => {
      const bus = await fresh();
      let runs = 0;
      const seen = await new Collector().start(bus, (delivery) => {
        runs += 1;
        if (runs <= 5) void delivery.retry({ cause: "api away", counted: false });
        else void delivery.done({});
      });
      await bus.publish([message("outage")]);
      await seen.nth(5);
      assert.ok(seen.deliveries.every((delivery) => delivery.attempts === 0));
      assert.deepEqual(await bus.list("things"), []);
    });

    it("a failing key delays no other key", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(
        bus,
        (delivery) => {
          if (delivery.message.name === "failing") void delivery.retry({ cause: "always", counted: false });
          else void delivery.done({});
        },
        1,
      );
      await bus.publish([message("failing"), ...Array.from({ length: 30 }, (_, index) => message(`fine-${index}`))]);
      await waitFor("the others", () => new Set(seen.names()).size === 31, { intervalMs: 5, timeoutMs: 3000 });
    });

    it("a waking publish ends a retry wait and resets attempts; another one does not", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("waiting")]);
      await (await seen.nth(0)).retry({ cause: "once", counted: true });
      await (await seen.nth(1)).retry({ cause: "twice", counted: true });
      await bus.publish([message("waiting", { waking: false, cause: "managed changed" })]);
      await bus.publish([message("waiting", { cause: "spec changed" })]);
      const third = await seen.nth(2);
      assert.equal(third.attempts, 0);
      await third.done({});
      await drained(bus);
      assert.equal(seen.deliveries.length, 3);
    });

    it("afterMs is held in the due index until it is moved, attempts kept", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("later")]);
      await (await seen.nth(0)).retry({ cause: "come back", counted: false, afterMs: 60 });
      assert.deepEqual(await backlog(bus), { lag: 0, pending: 0 });
      const before = await bus.moveDue();
      assert.equal(before.moved, 0);
      assert.ok(before.nextInMs !== undefined && before.nextInMs <= 60);
      await waitFor("the move", async () => (await bus.moveDue()).moved === 1, { intervalMs: 10 });
      const second = await seen.nth(1);
      assert.equal(second.attempts, 0);
      await second.done({});
      await drained(bus);
      assert.equal((await bus.moveDue()).moved, 0);
    });

    it("a waking publish ends a held wait, and its due item is gone", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("held")]);
      await (await seen.nth(0)).retry({ cause: "ten minutes", counted: false, afterMs: 600_000 });
      await bus.publish([message("held", { waking: false, cause: "managed changed" })]);
      await bus.publish([message("held", { cause: "spec changed" })]);
      await (await seen.nth(1)).done({});
      await drained(bus);
      assert.equal(seen.deliveries.length, 2);
      assert.equal((await bus.moveDue()).nextInMs, undefined);
    });

    it("requeueAfterMs sets the key's own timer; a later done replaces or clears it", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("timed")]);
      await (await seen.nth(0)).done({ requeueAfterMs: 40 });
      await waitFor("the timer", async () => (await bus.moveDue()).moved === 1, { intervalMs: 10 });
      const second = await seen.nth(1);
      assert.equal(second.message.cause, "timer");
      assert.equal(second.message.waking, true);
      assert.equal(second.message.lane, "urgent");
      await second.done({ requeueAfterMs: 600_000 });
      const { nextInMs } = await bus.moveDue();
      assert.ok(nextInMs !== undefined && nextInMs > 500_000);
      await bus.publish([message("timed")]);
      await (await seen.nth(2)).done({});
      assert.equal((await bus.moveDue()).nextInMs, undefined);
    });

    it("buries at the most attempts; list, show, replay", async () => {
      const bus = await fresh();
      let fail = true;
      const seen = await new Collector().start(bus, (delivery) => {
        if (fail) void delivery.retry({ cause: "broken for good", counted: true });
        else void delivery.done({});
      });
      await bus.publish([message("poison")]);
      const letter = await waitFor("the dead letter", () => bus.show("things", "ns", "poison"), { intervalMs: 5 });
      assert.equal(seen.deliveries.length, TIMINGS.maxAttempts);
      assert.equal(letter.cause, "broken for good");
      assert.equal(letter.attempts, TIMINGS.maxAttempts);
      assert.equal(letter.message.uid, "uid-poison");
      assert.ok(letter.firstFailureAt > 0 && letter.buriedAt >= letter.firstFailureAt);
      assert.equal((await bus.list("things")).length, 1);
      await drained(bus);
      await bus.publish([message("poison", { waking: false, cause: "managed changed", lane: "bulk" })]);
      assert.deepEqual(await backlog(bus), { lag: 0, pending: 0 }, "what does not wake is nothing to a dead key");
      fail = false;
      assert.equal(await bus.replay("things", "ns", "poison"), true);
      const replayed = await seen.nth(TIMINGS.maxAttempts);
      assert.equal(replayed.attempts, 0);
      await drained(bus);
      assert.deepEqual(await bus.list("things"), []);
      assert.equal(await bus.replay("things", "ns", "poison"), false);
    });

    it("a terminal failure is buried at once, a resync gives it one more try, drop forgets it", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus, (delivery) => void delivery.bury({ cause: "hopeless" }));
      await bus.publish([message("hopeless")]);
      await waitFor("the dead letter", () => bus.show("things", "ns", "hopeless"), { intervalMs: 5 });
      await bus.publish([message("hopeless", { waking: false, cause: "resync", lane: "bulk" })]);
      await seen.nth(1);
      await waitFor("the dead letter again", () => bus.show("things", "ns", "hopeless"), { intervalMs: 5 });
      assert.equal(await bus.drop("things", "ns", "hopeless"), true);
      assert.equal(await bus.drop("things", "ns", "hopeless"), false);
      assert.deepEqual(await bus.list("things"), []);
    });

    it("a hand-back is taken again at once, nothing counted", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("returned")]);
      await (await seen.nth(0)).handBack();
      const second = await seen.nth(1);
      assert.equal(second.attempts, 0);
      assert.equal(second.crashes, 0);
      await second.done({});
    });

    it("a second ending is an error and changes nothing", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("twice")]);
      const delivery = await seen.nth(0);
      await delivery.done({});
      await assert.rejects(delivery.retry({ cause: "again", counted: true }), { code: "PS_STREAM_DELIVERY_ENDED" });
      await drained(bus);
      assert.equal(seen.deliveries.length, 1);
    });

    it("stop takes nothing further and resolves when every open delivery has ended", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("open")]);
      const delivery = await seen.nth(0);
      let stopped = false;
      const stopping = seen.consumer?.stop().then(() => (stopped = true));
      await bus.publish([message("late")]);
      assert.equal(stopped, false);
      await delivery.done({});
      await stopping;
      assert.deepEqual(seen.names(), ["open"]);
      const next = await new Collector().start(await another());
      assert.equal((await next.nth(0)).message.name, "late");
      next.deliveries.forEach(finish);
    });

    it("urgent goes first, bulk is not starved, a waiting bulk item is promoted", async () => {
      const bus = await fresh();
      await bus.publish(
        Array.from({ length: 40 }, (_, index) => message(`bulk-${index}`, { kind: "others", lane: "bulk", waking: false })),
      );
      await bus.publish(Array.from({ length: 40 }, (_, index) => message(`urgent-${index}`, { kind: "others" })));
      await bus.publish([message("bulk-39", { kind: "others" })]);
      const seen = await new Collector().start(bus, (delivery) => setTimeout(() => void delivery.done({}), 1), 1);
      await waitFor("80 deliveries", () => seen.deliveries.length === 80, { intervalMs: 5, timeoutMs: 6000 });
      const names = seen.names();
      const bulkAmongFirst = names.slice(0, 50).filter((each) => each.startsWith("bulk")).length;
      assert.ok(bulkAmongFirst >= 4 && bulkAmongFirst <= 16, `${bulkAmongFirst} bulk among the first 50`);
      assert.ok(names.indexOf("bulk-39") < 60, "promoted");
      await drained(bus);
      assert.equal(seen.deliveries.length, 80);
    });

    it("spread items become bulk resyncs", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus, finish);
      await bus.spread(
        "things",
        Array.from({ length: 20 }, (_, index) => ({ namespace: "ns", name: `thing-${index}`, uid: "u", afterMs: index })),
      );
      await waitFor(
        "20 deliveries",
        async () => {
          await bus.moveDue();
          return seen.deliveries.length === 20;
        },
        { intervalMs: 10 },
      );
      assert.ok(seen.deliveries.every(({ message: { lane, waking, cause } }) => lane === "bulk" && !waking && cause === "resync"));
    });

    it("a tick fires once per planned time, whoever asks", async () => {
      const bus = await fresh();
      const other = await another();
      const tick = { kind: "things", schedule: "*/5 * * * *", plannedAt: 1_000_000 };
      const fired = await Promise.all([bus.fireTick(tick), other.fireTick(tick)]);
      assert.deepEqual(fired.toSorted(), [false, true]);
      assert.equal(await bus.fireTick({ ...tick, plannedAt: 999_999 }), false);
      assert.equal(await bus.lastFired("things", tick.schedule), 1_000_000);
      assert.equal(await bus.lastFired("things", "other"), undefined);
      const seen = await new Collector().start(bus, finish);
      const delivery = await seen.nth(0);
      assert.equal(delivery.message.namespace, "_tick");
      assert.equal(delivery.message.name, tick.schedule);
      assert.equal(delivery.partition, 0);
    });

    it("one beat has the lease", async () => {
      const bus = await fresh();
      const other = await another();
      assert.equal(await bus.acquireLease("a", 5000), true);
      assert.equal(await other.acquireLease("b", 5000), false);
      assert.equal(await bus.acquireLease("a", 100), true, "renewed");
      await other.releaseLease("b");
      assert.equal(await other.acquireLease("b", 5000), false, "a stranger's release changes nothing");
      await waitFor("the lease to lapse", () => other.acquireLease("b", 5000), { intervalMs: 10 });
      await other.releaseLease("b");
      assert.equal(await bus.acquireLease("a", 5000), true);
    });

    it("digests are kept per key and go with the object", async () => {
      const bus = await fresh();
      const seen = await new Collector().start(bus);
      await bus.publish([message("known")]);
      await (await seen.nth(0)).done({ digest: "abc" });
      assert.deepEqual([...(await bus.seen("things", ["ns/known", "ns/unknown"]))], [["ns/known", "abc"]]);
      await bus.publish([message("known")]);
      await (await seen.nth(1)).done({ gone: true });
      assert.equal((await bus.seen("things", ["ns/known"])).size, 0);
    });

    it("lag and pending are truthful at every step", async () => {
      const bus = await fresh();
      await bus.publish([message("a", { kind: "others" }), message("b", { kind: "others" })]);
      assert.deepEqual(await backlog(bus), { lag: 2, pending: 0 });
      const seen = await new Collector().start(bus, undefined, 2);
      await seen.nth(1);
      assert.deepEqual(await backlog(bus), { lag: 0, pending: 2 });
      await seen.deliveries[0]?.done({});
      assert.deepEqual(await backlog(bus), { lag: 0, pending: 1 });
      await seen.deliveries[1]?.done({});
      assert.deepEqual(await backlog(bus), { lag: 0, pending: 0 });
    });

    it("an unknown kind is refused by name", async () => {
      const bus = await fresh();
      await assert.rejects(bus.publish([message("x", { kind: "unknowns" })]), { code: "PS_STREAM_UNKNOWN_KIND" });
    });
  });
}
