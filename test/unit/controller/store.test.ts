import assert from "node:assert/strict";
import { test } from "node:test";
import { onlyIdentity, Store, withoutManagedFields } from "../../../src/controller/store.ts";
import type { KubeObject } from "../../../src/kube/types.ts";

function object(name: string, version: string, more: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "n", uid: `uid-${name}`, resourceVersion: version }, ...more };
}

test("a new list yields what a broken watch missed", () => {
  const store = new Store(withoutManagedFields);
  store.replace([object("kept", "1"), object("changed", "2"), object("gone", "3")]);
  const changes = store.replace([object("kept", "1"), object("changed", "9"), object("new", "10")]);
  assert.deepEqual(
    changes.map((change) => [change.type, change.object.metadata.name]),
    [
      ["DELETED", "gone"],
      ["MODIFIED", "changed"],
      ["ADDED", "new"],
    ],
  );
});

test("a re-created name has no previous: it is another object", () => {
  const store = new Store(withoutManagedFields);
  store.apply("ADDED", object("a", "1"));
  const other = { ...object("a", "2"), metadata: { ...object("a", "2").metadata, uid: "another" } };
  assert.equal(store.apply("ADDED", other).previous, undefined);
});

test("AC-47: of a managed object nothing but its identity is kept", () => {
  const store = new Store(onlyIdentity);
  store.apply("ADDED", object("secret", "1", { data: { password: "canary" } }));
  assert.ok(!JSON.stringify([...store.values()]).includes("canary"));
});
