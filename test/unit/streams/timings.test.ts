// Timings: the rule that makes recovery safe, and the backoff that every worker computes alike.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backoffMs, checkTimings, writeMarginMs } from "../../../src/streams/timings.ts";
import { DEFAULT_TIMINGS as TIMINGS } from "../../support/timings.ts";

describe("timings", () => {
  it("accepts the defaults and refuses what could let a lock outlive its entry", () => {
    checkTimings(TIMINGS);
    for (const wrong of [{ heartbeatMs: 4000 }, { idleMs: 9000 }, { heartbeatMs: 0 }]) {
      assert.throws(() => checkTimings({ ...TIMINGS, ...wrong }), { code: "PS_CONFIG_TIMINGS" }, JSON.stringify(wrong));
    }
  });

  it("the write gate closes two seconds before the lock ends", () => {
    assert.equal(writeMarginMs(TIMINGS), 2000);
  });

  it("the backoff is the same everywhere, differs between keys and is capped", () => {
    assert.equal(backoffMs(TIMINGS, "ns/a", 3), backoffMs(TIMINGS, "ns/a", 3));
    const delays = new Set(Array.from({ length: 50 }, (_, index) => backoffMs(TIMINGS, `ns/${index}`, 3)));
    assert.ok(delays.size > 10);
    for (let attempt = 1; attempt < 40; attempt++) assert.ok(backoffMs(TIMINGS, "ns/a", attempt) <= TIMINGS.backoffMaxMs * 1.2);
  });
});
