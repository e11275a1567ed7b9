// The ObjectCache contract as a suite: every implementation that claims to cache must pass it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ObjectCache } from "../../src/cache/cache.ts";
import type { BucketsOf } from "../../src/cache/memory-cache.ts";
import type { KubeObject } from "../../src/kube/types.ts";

const KIND = "resourcehandles";
export const bucketsByLabel: BucketsOf = (_, object) => Object.keys(object.metadata.labels ?? {});

function handle(name: string, version: number, bucket = "unbound", uid = `uid-${name}`): KubeObject {
  return {
    apiVersion: "d/v1",
    kind: "ResourceHandle",
    metadata: { name, namespace: "n", uid, resourceVersion: String(version), labels: { [bucket]: "" } },
  };
}

async function names(cache: ObjectCache, bucket: string): Promise<string[] | undefined> {
  return (await cache.index(KIND, bucket))?.map((object) => object.metadata.name ?? "").toSorted();
}

export function cacheSuite(label: string, create: () => Promise<ObjectCache>): void {
  const open: ObjectCache[] = [];
  const fresh = async (): Promise<ObjectCache> => {
    const cache = await create();
    open.push(cache);
    return cache;
  };
  after(() => Promise.all(open.map((cache) => cache.close())));

  test(`${label}: an older version never overwrites a newer one`, async () => {
    const cache = await fresh();
    await cache.put(KIND, [handle("a", 10)]);
    await cache.put(KIND, [handle("a", 9, "bound")]);
    assert.equal((await cache.get(KIND, "n", "a")).object?.metadata.resourceVersion, "10");
  });

  test(`${label}: an index says nothing until it is complete`, async () => {
    const cache = await fresh();
    await cache.put(KIND, [handle("a", 1)]);
    assert.equal(await names(cache, "unbound"), undefined);
    await cache.markComplete(KIND, "e1");
    assert.deepEqual(await names(cache, "unbound"), ["a"]);
    assert.deepEqual(await names(cache, "elsewhere"), []);
  });

  test(`${label}: an object moves between buckets with its newest version`, async () => {
    const cache = await fresh();
    await cache.markComplete(KIND, "e1");
    await cache.put(KIND, [handle("a", 1), handle("b", 2)]);
    await cache.put(KIND, [handle("a", 3, "bound")]);
    assert.deepEqual(await names(cache, "unbound"), ["b"]);
    assert.deepEqual(await names(cache, "bound"), ["a"]);
  });

  test(`${label}: removal takes out that incarnation only`, async () => {
    const cache = await fresh();
    await cache.markComplete(KIND, "e1");
    await cache.put(KIND, [handle("a", 5, "unbound", "second")]);
    await cache.remove(KIND, "n", "a", "first");
    assert.deepEqual(await names(cache, "unbound"), ["a"]);
    await cache.remove(KIND, "n", "a", "second");
    assert.deepEqual(await names(cache, "unbound"), []);
    assert.equal((await cache.get(KIND, "n", "a")).object, undefined);
  });

  test(`${label}: a reservation has one holder until it is released`, async () => {
    const cache = await fresh();
    assert.equal(await cache.reserve("h1", "x", 10_000), true);
    assert.equal(await cache.reserve("h1", "y", 10_000), false);
    assert.equal(await cache.reserve("h1", "x", 10_000), true);
    await cache.release("h1", "y");
    assert.equal(await cache.reserve("h1", "y", 10_000), false);
    await cache.release("h1", "x");
    assert.equal(await cache.reserve("h1", "y", 10_000), true);
  });
}
