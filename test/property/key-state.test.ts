// Properties of the life of one key: whatever the order of events, no waking need is forgotten, counts stay in their limits,
// and the partition hash spreads keys and moves few of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { Message } from "../../src/streams/bus.ts";
import { decode, encode } from "../../src/streams/envelope.ts";
import { bury, fail, finish, publish, requeue, take } from "../../src/streams/key-state.ts";
import type { KeyState, Step } from "../../src/streams/key-state.ts";
import { partitionOf } from "../../src/streams/partition.ts";

const LIMITS = { maxAttempts: 3, maxCrashes: 3 };
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/u);
const messages: fc.Arbitrary<Message> = fc.record({
  kind: fc.constant("things"),
  namespace: name,
  name,
  uid: fc.constantFrom("", "a", "b"),
  cause: fc.constantFrom("spec changed", "resync", "managed changed"),
  lane: fc.constantFrom("urgent" as const, "bulk" as const),
  waking: fc.boolean(),
  eventId: name,
  traceparent: fc.constant(""),
});
const events = fc.array(
  fc.oneof(
    messages.map((message) => ({ type: "publish" as const, message })),
    fc.constantFrom("take", "done", "fail", "hold", "bury", "back", "ripe").map((type) => ({ type })),
  ),
  { maxLength: 40 },
);

type Event = { readonly type: string; readonly message?: Message };

const FAILURE = { cause: "x", counted: true, held: false, now: 1 };
const ENDINGS: Readonly<Record<string, (state: KeyState) => Step>> = {
  done: finish,
  back: requeue,
  fail: (state) => fail(state, FAILURE, LIMITS),
  hold: (state) => fail(state, { ...FAILURE, held: true }, LIMITS),
  bury: (state) => bury(state, FAILURE, LIMITS),
};

// Applies an event where it can happen at all; undefined: it cannot in this state.
function next(state: KeyState | undefined, event: Event): Step | undefined {
  if (event.message) return publish(state, event.message, LIMITS);
  if (!state) return undefined;
  if (event.type === "take") return state.phase === "queued" ? { state: take(state) } : undefined;
  if (event.type === "ripe") return ["retrying", "held"].includes(state.phase) ? requeue(state) : undefined;
  return state.phase === "running" ? ENDINGS[event.type]?.(state) : undefined;
}

function waits(state: KeyState | undefined): boolean {
  return state?.phase === "queued";
}

function laneOf(state: KeyState | undefined): string | undefined {
  return state?.message.lane;
}

describe("life of one key", () => {
  it("a waking publish is always followed by a run that starts after it", () => {
    fc.assert(
      fc.property(events, messages, (history, message) => {
        let state: KeyState | undefined;
        for (const event of history) state = (next(state, event) ?? { state }).state;
        const woken = publish(state, { ...message, waking: true }, LIMITS).state;
        assert.ok(woken);
        // Whatever ends the run that may be going on, the key is queued then.
        const ends: readonly Event[] = [{ type: "done" }, { type: "fail" }, { type: "hold" }, { type: "bury" }, { type: "back" }];
        for (const end of woken.phase === "running" ? ends : []) assert.equal(next(woken, end)?.state?.phase, "queued", end.type);
        if (woken.phase !== "running") assert.equal(woken.phase, "queued");
      }),
    );
  });

  it("counts stay within their limits, and only running keys are dirty", () => {
    fc.assert(
      fc.property(events, (history) => {
        let state: KeyState | undefined;
        for (const event of history) {
          state = (next(state, event) ?? { state }).state;
          if (!state) continue;
          assert.ok(state.attempts <= LIMITS.maxAttempts);
          if (state.phase !== "running") assert.equal(state.dirty, undefined);
          if (state.attempts >= LIMITS.maxAttempts) assert.equal(state.phase, "dead");
        }
      }),
    );
  });

  it("an entry is written exactly when a key becomes queued or is promoted", () => {
    fc.assert(
      fc.property(events, (history) => {
        let state: KeyState | undefined;
        for (const event of history) {
          const step = next(state, event);
          if (!step) continue;
          assert.equal(step.enqueue !== undefined, waits(step.state) && (!waits(state) || laneOf(state) !== laneOf(step.state)));
          state = step.state;
        }
      }),
    );
  });
});

describe("wire and partitions", () => {
  it("a message survives the wire", () => {
    fc.assert(fc.property(messages, (message) => assert.deepEqual(decode(encode(message), message.lane), { ...message })));
  });

  it("anything else is no message", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(decode(text, "bulk"), undefined)));
  });

  it("a partition is in range, and one more partition moves keys only to it", () => {
    fc.assert(
      fc.property(name, name, fc.integer({ min: 1, max: 32 }), (namespace, key, count) => {
        const before = partitionOf(namespace, key, count);
        const after = partitionOf(namespace, key, count + 1);
        assert.ok(before >= 0 && before < count);
        assert.ok(after === before || after === count);
      }),
    );
  });

  it("keys are spread evenly", () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 10_000; index++) {
      const home = partitionOf("ns", `thing-${index}`, 4);
      counts[home] = (counts[home] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 2200 && count < 2800, counts.join(" "));
  });
});
