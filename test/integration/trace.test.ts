// The five hops of one event (ARCHITECTURE.md), by the log lines that promise them: the same `eventId` on all, in both modes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Installation } from "../support/installation.ts";
import { waitFor } from "../support/wait.ts";
import { claim, configMapProvider } from "./main-flow.ts";

const HOPS = ["event seen", "event published", "event received", "reconcile started", "reconcile done"];

for (const mode of ["standalone", "distributed"] as const) {
  test(`${mode}: one event can be followed through its five hops`, async () => {
    const world = await Installation.start({ mode, workers: 1, env: { POOLSTREAM_LOG_LEVEL: "debug" } });
    try {
      await world.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "users" } });
      await world.apply(configMapProvider("settings"));
      await world.apply(claim("followed", "settings"));
      const lines = await waitFor("all five lines of the claim's first event", () => {
        const all = world.roles.flatMap((role) => role.log());
        const seen = all.find((line) => line["msg"] === "event seen" && line["name"] === "followed");
        const mine = all.filter(
          (line) =>
            seen !== undefined && line["eventId"] === seen["eventId"] && line["name"] === "followed" && line["kind"] === "resourceclaims",
        );
        return HOPS.every((hop) => mine.some((line) => line["msg"] === hop)) ? mine : undefined;
      });
      const done = lines.find((line) => line["msg"] === "reconcile done");
      assert.ok(done);
      assert.equal(done["result"], "done");
      assert.equal(typeof done["durationMs"], "number");
    } finally {
      await world.stop();
    }
  });
}
