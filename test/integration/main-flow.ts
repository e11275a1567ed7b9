// The main job as a suite: the same statements in standalone and in distributed mode (main-flow-*.test.ts run it).
// Each test asserts on what the API server holds, never on calls.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { KubeObject } from "../../src/kube/types.ts";
import { GROUP_VERSION, Installation, NAMESPACE } from "../support/installation.ts";
import type { InstallationOptions } from "../support/installation.ts";
import { waitFor } from "../support/wait.ts";

const USERS = "users";

interface Status {
  readonly resourceHandle?: { readonly name: string };
  readonly healthy?: boolean;
  readonly ready?: boolean;
  readonly provider?: { readonly validationErrors?: readonly string[]; readonly parameterValues?: Record<string, unknown> };
  readonly resources?: readonly {
    readonly reference?: { readonly name: string; readonly namespace?: string };
    readonly state?: Record<string, unknown>;
  }[];
}

function statusOf(object: KubeObject | undefined): Status {
  return object?.["status"] ?? {};
}

export function provider(name: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion: GROUP_VERSION, kind: "ResourceProvider", metadata: { name, namespace: NAMESPACE }, spec };
}

export function claim(name: string, providerName: string, parameterValues: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: GROUP_VERSION,
    kind: "ResourceClaim",
    metadata: { name, namespace: USERS },
    spec: { provider: { name: providerName, parameterValues } },
  };
}

export function configMapProvider(name: string): KubeObject {
  return provider(name, {
    parameters: [
      {
        name: "size",
        allowUpdate: true,
        default: { value: "small" },
        validation: { openAPIV3Schema: { type: "string", enum: ["small", "large"] } },
      },
    ],
    template: {
      enable: true,
      style: "handlebars",
      definition: { apiVersion: "v1", kind: "ConfigMap", data: { size: "{{size}}", state: "ready" } },
    },
    override: { metadata: { name: `${name}-{{guid}}`, namespace: USERS } },
    healthCheck: 'ne data.state "failed"',
    readinessCheck: 'eq data.state "ready"',
    matchIgnore: ["/data/size"],
    updateFilters: [{ pathMatch: "/data/size" }],
  });
}

export function mainFlow(options: InstallationOptions): void {
  let world: Installation;
  before(async () => {
    world = await Installation.start(options);
    await world.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: USERS } });
    await world.apply(configMapProvider("settings"));
  });
  after(() => world.stop());

  const readyClaim = (name: string): Promise<KubeObject> =>
    waitFor(`claim ${name} to be ready`, async () => {
      const found = await world.get("ResourceClaim", name, USERS);
      return statusOf(found).ready === true ? found : undefined;
    });
  const objectOf = async (name: string): Promise<KubeObject | undefined> => {
    const reference = statusOf(await world.get("ResourceClaim", name, USERS)).resources?.[0]?.reference;
    return reference && world.get("ConfigMap", reference.name, reference.namespace ?? USERS, "v1");
  };

  test(`${options.mode}: a claim without a pool gets its own handle and object, in a namespace without annotations`, async () => {
    await world.apply(claim("own", "settings"));
    const served = await readyClaim("own");
    const handle = await world.get("ResourceHandle", statusOf(served).resourceHandle?.name ?? "");
    assert.ok(handle);
    assert.equal((handle["spec"] as { resourceClaim: { name: string } }).resourceClaim.name, "own");
    assert.deepEqual(statusOf(served).provider?.parameterValues, { size: "small" });
    const object = await objectOf("own");
    assert.ok(object);
    assert.deepEqual(object["data"], { size: "small", state: "ready" });
    assert.equal(object.metadata.annotations?.["poolboy.gpte.redhat.com/resource-claim-name"], "own");
    assert.equal(object.metadata.annotations["poolboy.gpte.redhat.com/resource-handle-name"], handle.metadata.name);
  });

  test(`${options.mode}: a changed parameter reaches the object`, async () => {
    await world.client.patch(
      { apiVersion: GROUP_VERSION, kind: "ResourceClaim", name: "own", namespace: USERS },
      { type: "merge", body: { spec: { provider: { parameterValues: { size: "large" } } } } },
    );
    await waitFor(
      "the object to be large",
      async () => ((await objectOf("own"))?.["data"] as { size?: string } | undefined)?.size === "large",
    );
  });

  test(`${options.mode}: the object's state and health are mirrored by watch`, async () => {
    const object = await objectOf("own");
    assert.ok(object);
    await world.client.patch(
      { apiVersion: "v1", kind: "ConfigMap", name: object.metadata.name ?? "", namespace: USERS },
      { type: "merge", body: { data: { state: "failed" } } },
    );
    await waitFor("the claim to be unhealthy", async () => statusOf(await world.get("ResourceClaim", "own", USERS)).healthy === false);
  });

  test(`${options.mode}: bad input is named in the claim's status`, async () => {
    await world.apply(claim("bad", "settings", { size: "huge", colour: "red" }));
    const errors = await waitFor(
      "validation errors",
      async () => statusOf(await world.get("ResourceClaim", "bad", USERS)).provider?.validationErrors,
    );
    assert.match(errors.join("\n"), /^Parameter size schema validation failed: /m);
    assert.match(errors.join("\n"), /^No such parameter colour\.$/m);
    assert.equal(statusOf(await world.get("ResourceClaim", "bad", USERS)).resourceHandle, undefined);
  });

  test(`${options.mode}: a pool keeps minAvailable, a claim binds a pooled handle, the pool is refilled`, async () => {
    await world.apply(configMapProvider("pooled"));
    await world.apply({
      apiVersion: GROUP_VERSION,
      kind: "ResourcePool",
      metadata: { name: "three", namespace: NAMESPACE },
      spec: { minAvailable: 3, provider: { name: "pooled", parameterValues: { size: "small" } } },
    });
    const poolHandles = async (): Promise<KubeObject[]> =>
      (await world.list("ResourceHandle", NAMESPACE)).filter(
        (handle) => (handle["spec"] as { resourcePool?: { name: string } }).resourcePool?.name === "three",
      );
    const ready = await waitFor("three ready handles", async () => {
      const handles = await poolHandles();
      return handles.length === 3 && handles.every((handle) => statusOf(handle).ready === true) ? handles : undefined;
    });
    await world.apply(claim("from-pool", "pooled"));
    const served = await readyClaim("from-pool");
    const bound = statusOf(served).resourceHandle?.name;
    assert.ok(
      ready.some((handle) => handle.metadata.name === bound),
      `${bound} is none of the pool's`,
    );
    await waitFor("the pool to be refilled", async () => {
      const handles = await poolHandles();
      return handles.filter((handle) => (handle["spec"] as { resourceClaim?: unknown }).resourceClaim === undefined).length === 3;
    });
    assert.equal((await poolHandles()).length, 4);
  });

  test(`${options.mode}: deletion leaves nothing behind, and the claim stays until all of it is gone`, async () => {
    for (const name of ["own", "from-pool", "bad"]) {
      await world.client.delete({ apiVersion: GROUP_VERSION, kind: "ResourceClaim", name, namespace: USERS });
    }
    await world.client.delete({ apiVersion: GROUP_VERSION, kind: "ResourcePool", name: "three", namespace: NAMESPACE });
    await waitFor(
      "every claim, handle and object to be gone",
      async () => {
        const left = [
          ...(await world.list("ResourceClaim", USERS)),
          ...(await world.list("ResourcePool", NAMESPACE)),
          ...(await world.list("ResourceHandle", NAMESPACE)),
          ...(await world.list("ConfigMap", USERS, "v1")).filter((object) => object.metadata.name !== "kube-root-ca.crt"),
        ];
        if (left.length > 0) throw new Error(`left: ${left.map((object) => `${object.kind}/${object.metadata.name}`).join(", ")}`);
        return true;
      },
      { timeoutMs: 30_000 },
    );
  });
}
