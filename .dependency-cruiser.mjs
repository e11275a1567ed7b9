// The dependency rule (ARCHITECTURE.md, figure and matrix), enforced by `npm run deps`. Arrows point down only; each third-party
// package has one home; adding a layer, an arrow or a home needs a record in docs/decisions/.
const only = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: "^src/", pathNot: allowed },
});

const home = (pkg, where) => ({
  name: `only-here:${pkg}`,
  severity: "error",
  from: { path: "^src/", pathNot: where },
  to: { path: `(^|/)node_modules/${pkg}/` },
});

// Roles reach the domain and the cache through these doors alone. digest.ts belongs to the contract of kind.ts (Result.digest).
// watch/map-managed.ts is how the controller reads a managed object's owner.
const REGISTRY = "^src/resources/(kind|registry|digest|watch/map-managed)\\.ts$";
const CACHE = "^src/cache/cache\\.ts$";
// What one kind may import from another: pure files, and the few doors of docs/decisions/0010. Never a reconcile.
const PURE =
  "^src/resources/[^/]+/(types|view|build)\\.ts$|^src/resources/provider/(match|validate|parameters|generate|lookup)\\.ts$" +
  "|^src/resources/handle/(bind|select|health)\\.ts$|^src/resources/watch/ensure\\.ts$";

export default {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphans", severity: "error", from: { orphan: true, path: "^src/", pathNot: "^src/main\\.ts$" }, to: {} },
    { name: "nobody-imports-main", severity: "error", from: {}, to: { path: "^src/main\\.ts$" } },
    { name: "only-main-composes", severity: "error", from: { pathNot: "^src/main\\.ts$" }, to: { path: "^src/compose\\.ts$" } },
    { name: "src-not-test", severity: "error", from: { path: "^src/" }, to: { path: "^(test|scripts)/" } },
    {
      name: "no-dev-deps-in-src",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    { name: "not-to-unresolvable", severity: "error", from: { path: "^src/" }, to: { couldNotResolve: true } },

    only("runtime", "^src/runtime/", "^src/runtime/"),
    only("kube", "^src/kube/", "^src/(kube|runtime)/"),
    only("streams", "^src/streams/", "^src/(streams|runtime)/"),
    only("templating", "^src/templating/", "^src/(templating|runtime)/"),
    only("cache", "^src/cache/", "^src/(cache|runtime)/|^src/kube/types\\.ts$"),
    only("resources", "^src/resources/", `^src/(resources|templating|kube|runtime)/|${CACHE}`),
    only("controller", "^src/controller/", `^src/(controller|streams|kube|runtime)/|${REGISTRY}|${CACHE}`),
    only("worker", "^src/worker/", `^src/(worker|streams|kube|runtime)/|${REGISTRY}|${CACHE}|^src/templating/engine\\.ts$`),
    only("beat", "^src/beat/", `^src/(beat|streams|runtime)/|${REGISTRY}`),
    {
      name: "kind-to-kind-through-pure-files",
      severity: "error",
      from: { path: "^src/resources/([^/]+)/" },
      to: { path: "^src/resources/[^/]+/", pathNot: `^src/resources/$1/|${PURE}` },
    },
    { name: "memory-bus-alone", severity: "error", from: { path: "^src/streams/memory-" }, to: { path: "^src/streams/redis-" } },
    { name: "redis-bus-alone", severity: "error", from: { path: "^src/streams/redis-" }, to: { path: "^src/streams/memory-" } },

    home("@kubernetes/client-node", "^src/kube/"),
    home("undici", "^src/kube/"),
    home("ioredis", "^src/(streams|cache)/redis-"),
    home("handlebars", "^src/templating/"),
    home("ajv", "^src/resources/provider/"),
    home("re2js", "^src/resources/"),
    home("croner", "^src/beat/schedule\\.ts$"),
    home("yaml", "^src/runtime/config\\.ts$"),
    home("p-limit", "^src/worker/"),
    home("pino", "^src/runtime/log\\.ts$"),
    home("prom-client", "^src/runtime/metrics\\.ts$"),
    home("ts-retry-promise", "^src/runtime/retry\\.ts$"),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
