// The overlays, resolved without a cluster: every file that is named exists and is named once, what refers to something finds it, and
// every pod keeps the rules (restricted security, probes, no service variables, a grace period longer than the drain).
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { at, definition, documents, list, record, ROOT, yamlFiles } from "./manifest.ts";
import type { Json } from "./manifest.ts";

const OVERLAYS = ["standalone", "distributed"];
const DOMAIN = "poolboy.gpte.redhat.com";

/** Objects of a kustomization and of those it includes. */
function build(folder: string): readonly Json[] {
  const kustomization = definition(join(folder, "kustomization.yaml"));
  const unknown = Object.keys(kustomization).filter((key) => !["apiVersion", "kind", "resources", "images"].includes(key));
  assert.deepEqual(unknown, [], `${relative(ROOT, folder)}: this test does not know these members`);
  return list(kustomization["resources"], folder).flatMap((name) => {
    const path = join(folder, String(name));
    assert.ok(existsSync(path), `${relative(ROOT, folder)}: ${String(name)} does not exist`);
    return statSync(path).isDirectory() ? build(path) : documents(path);
  });
}

function ofKind(objects: readonly Json[], kind: string): readonly Json[] {
  return objects.filter((object) => object["kind"] === kind);
}

function nameOf(object: unknown): string {
  return String(at(object, "metadata.name"));
}

function selects(selector: unknown, labels: unknown): boolean {
  const present = record(labels ?? {}, "labels");
  return Object.entries(record(selector ?? {}, "selector")).every(([key, value]) => present[key] === value);
}

function podsOf(objects: readonly Json[]): readonly { readonly name: string; readonly labels: unknown; readonly spec: unknown }[] {
  return ofKind(objects, "Deployment").map((object) => ({
    name: nameOf(object),
    labels: at(object, "spec.template.metadata.labels"),
    spec: at(object, "spec.template.spec"),
  }));
}

function containersOf(spec: unknown): readonly unknown[] {
  return list(at(spec, "containers"), "containers");
}

const operatorRole = ofKind(documents(join(ROOT, "manifests", "rbac", "operator.yaml")), "ClusterRole")[0];

for (const overlay of OVERLAYS) {
  describe(`overlay ${overlay}`, () => {
    const objects = build(join(ROOT, "kustomize", "overlays", overlay));
    const pods = podsOf(objects);

    it("holds each object once", () => {
      const keys = objects.map(
        (object) =>
          `${String(object["apiVersion"])} ${String(object["kind"])} ${String(at(object, "metadata.namespace"))}/${nameOf(object)}`,
      );
      assert.deepEqual(
        keys.filter((key, index) => keys.indexOf(key) !== index),
        [],
      );
      assert.equal(ofKind(objects, "CustomResourceDefinition").length, 6);
    });

    it("puts everything into the operator's namespace, which enforces the restricted standard", () => {
      const clusterWide = new Set(["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "Namespace"]);
      const outside = objects.filter(
        (object) => !clusterWide.has(String(object["kind"])) && at(object, "metadata.namespace") !== "poolstream",
      );
      assert.deepEqual(outside.map(nameOf), []);
      const [namespace] = ofKind(objects, "Namespace");
      assert.equal(record(at(namespace, "metadata.labels"), "labels")["pod-security.kubernetes.io/enforce"], "restricted");
    });

    it("binds roles and accounts that exist", () => {
      const known = new Set(objects.map((object) => `${String(object["kind"])} ${nameOf(object)}`));
      for (const binding of [...ofKind(objects, "ClusterRoleBinding"), ...ofKind(objects, "RoleBinding")]) {
        assert.ok(known.has(`${String(at(binding, "roleRef.kind"))} ${String(at(binding, "roleRef.name"))}`), nameOf(binding));
        for (const subject of list(binding["subjects"], nameOf(binding)))
          assert.ok(known.has(`ServiceAccount ${nameOf({ metadata: subject })}`));
      }
      for (const { name, spec } of pods) assert.ok(known.has(`ServiceAccount ${String(at(spec, "serviceAccountName"))}`), name);
    });

    it("has selectors that select", () => {
      for (const object of ofKind(objects, "Deployment")) {
        assert.ok(selects(at(object, "spec.selector.matchLabels"), at(object, "spec.template.metadata.labels")), nameOf(object));
      }
      const selectors = [
        ...ofKind(objects, "Service").map((object) => [nameOf(object), at(object, "spec.selector")] as const),
        ...ofKind(objects, "PodDisruptionBudget").map((object) => [nameOf(object), at(object, "spec.selector.matchLabels")] as const),
        ...ofKind(objects, "NetworkPolicy").map((object) => [nameOf(object), at(object, "spec.podSelector.matchLabels")] as const),
      ];
      for (const [name, selector] of selectors)
        assert.ok(
          pods.some(({ labels }) => selects(selector, labels)),
          name,
        );
    });

    it("runs pods that keep the rules", () => {
      for (const { name, spec } of pods) {
        assert.equal(at(spec, "securityContext.runAsNonRoot"), true, name);
        assert.equal(at(spec, "securityContext.seccompProfile.type"), "RuntimeDefault", name);
        // Service variables begin with POOLSTREAM_ and would be refused as unknown settings.
        assert.equal(at(spec, "enableServiceLinks"), false, name);
        for (const container of containersOf(spec)) {
          assert.equal(at(container, "securityContext.allowPrivilegeEscalation"), false, name);
          assert.equal(at(container, "securityContext.readOnlyRootFilesystem"), true, name);
          assert.deepEqual(at(container, "securityContext.capabilities.drop"), ["ALL"], name);
          for (const member of [
            "livenessProbe",
            "readinessProbe",
            "resources.requests.cpu",
            "resources.requests.memory",
            "resources.limits.memory",
          ]) {
            assert.ok(at(container, member), `${name}: ${member}`);
          }
        }
      }
    });

    it("gives a pod a token only where its role talks to the Kubernetes API", () => {
      const withToken = pods.filter(({ spec }) => at(spec, "automountServiceAccountToken") !== false).map(({ name }) => name);
      const wanted = overlay === "standalone" ? ["poolstream-standalone"] : ["poolstream-controller", "poolstream-worker"];
      assert.deepEqual([...withToken].sort(), wanted);
      for (const { name, spec } of pods)
        assert.equal(at(spec, "serviceAccountName"), withToken.includes(name) ? "poolstream" : "poolstream-no-api");
    });

    it("starts the roles of its mode, with settings that exist and time to drain", () => {
      const own = pods.filter(({ labels }) => selects({ "app.kubernetes.io/name": "poolstream" }, labels));
      const roles = own.flatMap(({ spec }) => containersOf(spec).flatMap((container) => list(at(container, "args"), "args").map(String)));
      assert.deepEqual([...roles].sort(), overlay === "standalone" ? ["standalone"] : ["beat", "controller", "worker"]);
      const names = new Set(SETTINGS.flatMap((setting) => setting.aliases ?? []));
      const graceSeconds = Number(SETTINGS.find((setting) => setting.key === "worker.graceMs")?.fallback) / 1000;
      for (const { name, spec } of own) {
        const env = containersOf(spec)
          .flatMap((container) => list(at(container, "env") ?? [], "env"))
          .map((entry) => String(at(entry, "name")));
        assert.deepEqual(
          env.filter((variable) => !names.has(variable)),
          [],
          name,
        );
        if (!name.endsWith("-beat")) assert.ok(Number(at(spec, "terminationGracePeriodSeconds")) > graceSeconds, name);
      }
    });
  });
}

describe("manifests", () => {
  it("leave no file out", () => {
    for (const path of [...yamlFiles(join(ROOT, "manifests")), ...yamlFiles(join(ROOT, "kustomize"))]) {
      if (path.endsWith("kustomization.yaml")) continue;
      const listed = list(definition(join(dirname(path), "kustomization.yaml"))["resources"], path);
      assert.ok(listed.includes(relative(dirname(path), path)), relative(ROOT, path));
    }
  });

  it("grant the operator rights on each of its kinds, by name, never by star", () => {
    const rules = list(operatorRole?.["rules"], "rules").map((rule) => record(rule, "rule"));
    assert.ok(!JSON.stringify(rules).includes("*"));
    const own = rules.filter((rule) => list(rule["apiGroups"], "apiGroups").includes(DOMAIN));
    const kinds = yamlFiles(join(ROOT, "manifests", "crds"))
      .filter((path) => !path.endsWith("kustomization.yaml"))
      .map((path) => String(at(definition(path), "spec.names.plural")));
    const granted = own.flatMap((rule) => list(rule["resources"], "resources").map(String)).filter((name) => !name.includes("/"));
    assert.deepEqual([...granted].sort(), [...kinds].sort());
    const providers = own.find((rule) => list(rule["resources"], "resources").includes("resourceproviders"));
    assert.deepEqual(providers?.["verbs"], ["get", "list", "watch"]);
  });

  it("name the Lease that the elector uses", () => {
    const role = ofKind(documents(join(ROOT, "manifests", "rbac", "operator.yaml")), "Role")[0];
    const domain = SETTINGS.find((setting) => setting.key === "operator.domain")?.fallback;
    const named = list(role?.["rules"], "rules").flatMap((rule) => list(at(rule, "resourceNames") ?? [], "resourceNames"));
    assert.deepEqual(named, [`poolstream-${String(domain)}`]);
  });
});
