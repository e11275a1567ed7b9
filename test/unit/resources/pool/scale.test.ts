import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceHandle } from "../../../../src/resources/handle/types.ts";
import type { HandleStatus } from "../../../../src/resources/handle/types.ts";
import { countPool, planCreations, poolEntry } from "../../../../src/resources/pool/scale.ts";

function handle(name: string, status?: HandleStatus): ResourceHandle {
  const object = { apiVersion: "poolboy.gpte.redhat.com/v1", kind: "ResourceHandle", metadata: { name }, spec: {} } as const;
  return status === undefined ? object : { ...object, status };
}
const ready = handle("guid-ready", { ready: true, healthy: true, resources: [{ healthy: true, ready: true }] });
const fresh = handle("guid-fresh");
const ill = handle("guid-ill", { ready: false, healthy: false, resources: [{ healthy: false, ready: false }] });
const waiting = handle("guid-waiting", { ready: false, resources: [{ waitingFor: "ResourceClaim" }] });

// The worked examples of spec resource-pool-and-watch 3.5, and their neighbours.
const PLANS: readonly [string, Parameters<typeof planCreations>, (string | undefined)[]][] = [
  ["maxUnready stops creation", [{ minAvailable: 4, maxUnready: 2 }, { available: 2, ready: 1 }, []], [undefined]],
  ["maxUnready 0 never creates", [{ minAvailable: 2, maxUnready: 0 }, { available: 0, ready: 0 }, []], []],
  ["no scale-down", [{ minAvailable: 1 }, { available: 3, ready: 0 }, []], []],
  ["an empty spec wants nothing", [{}, { available: 0, ready: 0 }, []], []],
  ["a scaling adds to a full pool", [{ minAvailable: 1 }, { available: 1, ready: 1 }, [{ scaling: "a", missing: 2 }]], ["a", "a"]],
  [
    "a served scaling takes the pool's need too",
    [{ minAvailable: 3 }, { available: 0, ready: 0 }, [{ scaling: "a", missing: 1 }]],
    ["a", "a", "a"],
  ],
  [
    "the second scaling after the first",
    [
      { minAvailable: 1 },
      { available: 0, ready: 0 },
      [
        { scaling: "a", missing: 1 },
        { scaling: "b", missing: 2 },
      ],
    ],
    ["a", "b", "b"],
  ],
  ["maxUnready holds for scalings", [{ maxUnready: 3 }, { available: 2, ready: 0 }, [{ scaling: "a", missing: 5 }]], ["a"]],
  [
    "more unready than allowed creates nothing",
    [{ minAvailable: 9, maxUnready: 1 }, { available: 4, ready: 0 }, [{ scaling: "a", missing: 5 }]],
    [],
  ],
];

for (const [title, input, expected] of PLANS) {
  test(title, () => assert.deepEqual(planCreations(...input), expected));
}

test("unhealthy handles are counted unless the pool deletes them", () => {
  const handles = [ready, fresh, ill, waiting];
  assert.deepEqual(countPool({}, handles), { remove: [], keep: handles, available: 4, ready: 1 });
  assert.deepEqual(countPool({ deleteUnhealthyResourceHandles: true }, handles), {
    remove: [ill],
    keep: [ready, fresh, waiting],
    available: 3,
    ready: 1,
  });
});

test("status entries hold health and readiness only where known", () => {
  assert.deepEqual([ready, fresh, ill, waiting].map(poolEntry), [
    { name: "guid-ready", healthy: true, ready: true },
    { name: "guid-fresh", healthy: true },
    { name: "guid-ill", healthy: false, ready: false },
    { name: "guid-waiting", ready: false },
  ]);
});
