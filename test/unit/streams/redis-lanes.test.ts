// The plan of the next read: never more than fits, every stream in turn, bulk's share.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redis } from "ioredis";
import { partitionKeys } from "../../../src/streams/keys.ts";
import { LanePlanner } from "../../../src/streams/redis-lanes.ts";
import { RedisPartition } from "../../../src/streams/redis-partition.ts";
import { DEFAULT_TIMINGS as TIMINGS } from "../../support/timings.ts";

const client = new Redis({ lazyConnect: true });
const partitions = Array.from({ length: 5 }, (_, index) => new RedisPartition(client, partitionKeys("ps", "things", index), TIMINGS));

describe("lane planner", () => {
  it("never asks for more than the free slots, and asks every stream in turn", () => {
    for (const free of [1, 2, 3, 7, 10, 64]) {
      const planner = new LanePlanner(partitions, 1000);
      const asked = new Set<string>();
      for (let turn = 0; turn < 30; turn++) {
        const plan = planner.plan(free);
        assert.ok(plan.sources.length * plan.count <= free, `${plan.sources.length} × ${plan.count} for ${free}`);
        for (const { stream } of plan.sources) asked.add(stream);
        planner.note(plan, new Map());
      }
      assert.equal(asked.size, 10, `all streams asked with ${free} free`);
    }
  });

  it("gives bulk about one slot in five while both lanes have more", () => {
    const planner = new LanePlanner(partitions, 1000);
    const taken = { urgent: 0, bulk: 0 };
    for (let turn = 0; turn < 500; turn++) {
      const plan = planner.plan(1);
      const found = new Map(plan.sources.map(({ stream }) => [stream, plan.count]));
      for (const { lane } of plan.sources) taken[lane] += plan.count;
      planner.note(plan, found);
    }
    const share = taken.bulk / (taken.bulk + taken.urgent);
    assert.ok(share > 0.1 && share < 0.3, `bulk had ${share}`);
  });
});
