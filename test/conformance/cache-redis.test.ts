import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createRedisCache } from "../../src/cache/redis-cache.ts";
import type { ObjectCache } from "../../src/cache/cache.ts";
import { createLogger } from "../../src/runtime/log.ts";
import { startRedis } from "../support/redis.ts";
import type { RedisServer } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { bucketsByLabel, cacheSuite } from "./cache.ts";

let redis: RedisServer;
let count = 0;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

async function create(): Promise<ObjectCache> {
  count += 1;
  const cache = createRedisCache({
    url: redis.url,
    prefix: `t${count}`,
    bucketsOf: bucketsByLabel,
    log: createLogger({ level: "error", role: "test" }),
  });
  await waitFor("the cache to be connected", async () => (await cache.get("x", "n", "a")).answered);
  return cache;
}

cacheSuite("redis", create);

test("redis: AC-49 an error is told from a miss, and an index without the server says nothing", async () => {
  const cache = await create();
  await cache.markComplete("resourcehandles", "e1");
  redis.pause();
  try {
    assert.equal((await cache.get("resourcehandles", "n", "a")).answered, false);
    assert.equal(await cache.index("resourcehandles", "unbound"), undefined);
    await assert.rejects(cache.reserve("h", "x", 1000));
  } finally {
    redis.resume();
    await cache.close();
  }
});
