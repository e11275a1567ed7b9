// Every rule of .dependency-cruiser.mjs, broken once on purpose in a small tree: a rule with a wrong pattern would pass for ever.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "..", "..");
const CRUISER = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs");

/** Files of a tree that keeps every rule. */
const CLEAN: Readonly<Record<string, string>> = {
  "src/main.ts": 'import "./compose.ts";',
  "src/compose.ts":
    'import "./controller/a.ts"; import "./worker/a.ts"; import "./beat/a.ts"; import "./streams/memory-bus.ts"; import "./streams/redis-bus.ts"; import "./cache/redis-cache.ts";',
  "src/runtime/clock.ts": "export const clock = 1;",
  "src/kube/types.ts": 'import "../runtime/clock.ts"; export const types = 1;',
  "src/kube/client.ts": 'import "./types.ts"; import "undici"; export const client = 1;',
  "src/streams/memory-bus.ts": 'import "../runtime/clock.ts"; export const memory = 1;',
  "src/streams/redis-bus.ts": 'import "../runtime/clock.ts"; import "ioredis"; export const redis = 1;',
  "src/templating/engine.ts": 'import "../runtime/clock.ts"; import "handlebars"; export const engine = 1;',
  "src/cache/cache.ts": 'import "../kube/types.ts"; export const cache = 1;',
  "src/cache/redis-cache.ts": 'import "./cache.ts"; import "ioredis"; export const redisCache = 1;',
  "src/resources/kind.ts":
    'import "../cache/cache.ts"; import "../kube/client.ts"; import "../templating/engine.ts"; export const kind = 1;',
  "src/resources/registry.ts": 'import "./claim/bind.ts"; import "./handle/reconcile.ts"; export const registry = 1;',
  "src/resources/claim/bind.ts": 'import "../handle/view.ts"; export const bind = 1;',
  "src/resources/handle/view.ts": "export const view = 1;",
  "src/resources/handle/reconcile.ts": 'import "./view.ts"; export const bind = 1;',
  "src/controller/a.ts":
    'import "../resources/registry.ts"; import "../resources/kind.ts"; import "../cache/cache.ts"; import "../streams/memory-bus.ts"; export const a = 1;',
  "src/worker/a.ts": 'import "../resources/kind.ts"; import "../templating/engine.ts"; import "p-limit"; export const a = 1;',
  "src/beat/a.ts": 'import "../resources/kind.ts"; import "../streams/memory-bus.ts"; export const a = 1;',
  "test/helper.ts": "export const helper = 1;",
};

/** One broken rule each: a line added to a file. Third-party homes are derived from the rules themselves. */
const BREAKS: Readonly<Record<string, readonly [string, string]>> = {
  "no-circular": ["src/runtime/clock.ts", 'import "./loop.ts";'],
  "no-orphans": ["src/runtime/lonely.ts", "export const lonely = 1;"],
  "nobody-imports-main": ["src/compose.ts", 'import "./main.ts";'],
  "only-main-composes": ["src/beat/a.ts", 'import "../compose.ts";'],
  "src-not-test": ["src/compose.ts", 'import "../test/helper.ts";'],
  "no-dev-deps-in-src": ["src/compose.ts", 'import "fast-check";'],
  "not-to-unresolvable": ["src/compose.ts", 'import "./nowhere.ts";'],
  runtime: ["src/runtime/clock.ts", 'import "../kube/types.ts";'],
  kube: ["src/kube/client.ts", 'import "../streams/memory-bus.ts";'],
  streams: ["src/streams/memory-bus.ts", 'import "../kube/types.ts";'],
  templating: ["src/templating/engine.ts", 'import "../resources/kind.ts";'],
  cache: ["src/cache/cache.ts", 'import "../kube/client.ts";'],
  resources: ["src/resources/kind.ts", 'import "../streams/memory-bus.ts";'],
  controller: ["src/controller/a.ts", 'import "../worker/a.ts";'],
  worker: ["src/worker/a.ts", 'import "../resources/claim/bind.ts";'],
  beat: ["src/beat/a.ts", 'import "../kube/client.ts";'],
  "kind-to-kind-through-pure-files": ["src/resources/claim/bind.ts", 'import "../handle/reconcile.ts";'],
  "memory-bus-alone": ["src/streams/memory-bus.ts", 'import "./redis-bus.ts";'],
  "redis-bus-alone": ["src/streams/redis-bus.ts", 'import "./memory-bus.ts";'],
};

const scratch = mkdtempSync(join(tmpdir(), "poolstream-deps-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Rules broken by a tree, without repetition. */
function broken(files: Readonly<Record<string, string>>): readonly string[] {
  const folder = mkdtempSync(join(scratch, "tree-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const name of [".dependency-cruiser.mjs", "package.json", "tsconfig.json"]) cpSync(join(ROOT, name), join(folder, name));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const args = [CRUISER, "src", "--config", ".dependency-cruiser.mjs", "--output-type", "json"];
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  assert.notEqual(run.stdout, "", run.stderr);
  const result = JSON.parse(run.stdout) as {
    readonly summary: { readonly violations: readonly { readonly rule: { readonly name: string } }[] };
  };
  return [...new Set(result.summary.violations.map(({ rule }) => rule.name))].sort();
}

interface Rules {
  readonly default: { readonly forbidden: readonly { readonly name: string }[] };
}

// By URL: the file is JavaScript without types.
const config = (await import(pathToFileURL(join(ROOT, ".dependency-cruiser.mjs")).href)) as Rules;
const rules = config.default.forbidden.map(({ name }) => name);
const homes = rules.filter((name) => name.startsWith("only-here:"));

describe("the dependency rule", () => {
  it("lets a tree pass that keeps it", () => {
    assert.deepEqual(broken(CLEAN), []);
  });

  it("is broken here in each of its rules", () => {
    assert.deepEqual([...rules].sort(), [...Object.keys(BREAKS), ...homes].sort());
  });

  // All at once: a cruise takes a second. A rule that does not fire is missing from the list, whatever the others do.
  it("reports each of its rules", () => {
    const files: Record<string, string> = { ...CLEAN, "src/runtime/loop.ts": 'import "./clock.ts"; export const loop = 1;' };
    for (const [file, line] of Object.values(BREAKS)) files[file] = `${files[file] ?? ""}\n${line}`;
    // compose.ts is nobody's home.
    files["src/compose.ts"] += homes.map((name) => `\nimport "${name.slice("only-here:".length)}";`).join("");
    assert.deepEqual(broken(files), [...rules].sort());
  });
});
