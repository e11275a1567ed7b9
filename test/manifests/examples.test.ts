// The examples as a reader would use them: valid against the definitions, made strict (a member that the API server would prune
// fails), pointing at one another correctly, and rendering to what their comments promise.
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../src/runtime/clock.ts";
import { createTemplating } from "../../src/templating/engine.ts";
import { at, CRD_FOLDER, definition, documents, list, record, ROOT, validatorOf, yamlFiles } from "./manifest.ts";
import type { Json } from "./manifest.ts";

const EXAMPLES = join(ROOT, "examples");
const GROUP = "poolboy.gpte.redhat.com";

const definitions = new Map(
  [...yamlFiles(CRD_FOLDER), join(EXAMPLES, "crds", "widget.yaml")]
    .map((path) => definition(path))
    .filter((crd) => crd["kind"] === "CustomResourceDefinition")
    .map((crd) => [`${String(at(crd, "spec.group"))}/v1 ${String(at(crd, "spec.names.kind"))}`, validatorOf(crd)]),
);

interface Example {
  readonly file: string;
  readonly object: Json;
}

const examples: readonly Example[] = yamlFiles(EXAMPLES).flatMap((path) =>
  documents(path).map((object) => ({ file: relative(ROOT, path), object })),
);
const ours = examples.filter(({ object }) => String(object["apiVersion"]).startsWith(`${GROUP}/`));

function ofKind(kind: string): readonly Json[] {
  return ours.filter(({ object }) => object["kind"] === kind).map(({ object }) => object);
}

function nameOf(object: Json): string {
  return String(at(object, "metadata.name"));
}

function provider(name: string): Json {
  const found = ofKind("ResourceProvider").find((object) => nameOf(object) === name);
  assert.ok(found, `no example provider ${name}`);
  return found;
}

function parametersOf(object: Json): readonly Json[] {
  return list(at(object, "spec.parameters") ?? [], nameOf(object)).map((parameter) => record(parameter, nameOf(object)));
}

/** The provider references of a claim or pool: [provider name, parameter values]. */
function wants(object: Json): readonly (readonly [string, Json])[] {
  const top = at(object, "spec.provider");
  if (top !== undefined) return [[String(at(top, "name")), record(at(top, "parameterValues") ?? {}, nameOf(object))]];
  return list(at(object, "spec.resources"), nameOf(object)).map((entry) => [String(at(entry, "provider.name")), {}]);
}

/** Names of values outside the enumeration of their parameter. */
function refused(values: Json, parameters: readonly Json[]): readonly string[] {
  return Object.entries(values)
    .filter(([key, value]) => {
      const allowed = at(
        parameters.find((one) => one["name"] === key),
        "validation.openAPIV3Schema.enum",
      );
      return allowed !== undefined && !list(allowed, key).includes(value);
    })
    .map(([key]) => key);
}

const templating = createTemplating({ defaultStyle: "handlebars", clock: systemClock });
const claim = {
  name: "my-claim",
  namespace: "demo",
  metadata: { name: "my-claim", namespace: "demo", creationTimestamp: "2031-01-02T03:04:05Z" },
};

function defaults(object: Json): Json {
  return Object.fromEntries(
    parametersOf(object)
      .filter((p) => p["default"] !== undefined)
      .map((p) => [String(p["name"]), at(p, "default.value")]),
  );
}

function render(object: Json, member: string, variables: Json): unknown {
  const source = `ResourceProvider ${nameOf(object)} ${member}`;
  return templating.render(at(object, member), { style: "handlebars", variables, templateVariables: vars(object), source }).value;
}

function condition(object: Json, member: string, variables: Json): boolean {
  return holds(String(at(object, member)), object, variables);
}

function holds(expression: string, object: Json, variables: Json): boolean {
  return templating.condition(expression, { style: "handlebars", variables, templateVariables: vars(object), source: nameOf(object) })
    .value;
}

function vars(object: Json): Json {
  return record(at(object, "spec.vars") ?? {}, nameOf(object));
}

describe("examples", () => {
  it("hold at least one object of every kind a user writes", () => {
    assert.deepEqual([...new Set(ours.map(({ object }) => String(object["kind"])))].sort(), [
      "ResourceClaim",
      "ResourcePool",
      "ResourcePoolScaling",
      "ResourceProvider",
    ]);
  });

  for (const { file, object } of ours) {
    it(`${file} is valid and loses nothing to pruning`, () => {
      const validate = definitions.get(`${String(object["apiVersion"])} ${String(object["kind"])}`);
      assert.ok(validate, "no definition of this kind");
      assert.ok(validate(object), JSON.stringify(validate.errors));
    });
  }

  it("would fail with a misspelled member, a missing one, or another template style", () => {
    const validate = definitions.get(`${GROUP}/v1 ResourceProvider`);
    assert.ok(validate);
    const base = { apiVersion: `${GROUP}/v1`, kind: "ResourceProvider", metadata: { name: "x" } };
    assert.equal(validate({ ...base, spec: {} }), true);
    assert.equal(validate({ ...base, spec: { validation: { openApiV3Schema: {} } } }), false);
    assert.equal(validate({ ...base, spec: { updateFilters: [{}] } }), false);
    assert.equal(validate({ ...base, spec: { template: { style: "mustache" } } }), false);
    assert.equal(validate({ ...base, spec: { template: { style: "jinja2" } } }), true);
  });

  it("are all in the kustomization, but for claims and the one-time scaling", () => {
    const wanted = yamlFiles(EXAMPLES)
      .map((path) => relative(EXAMPLES, path))
      .filter((path) => path !== "kustomization.yaml" && !path.startsWith("claims/") && path !== "pools/more-notebooks.yaml");
    const listed = list(at(definition(join(EXAMPLES, "kustomization.yaml")), "resources"), "resources").map(String);
    assert.deepEqual([...listed].sort(), [...wanted].sort());
  });

  it("name providers that exist and give values that their parameters accept", () => {
    for (const object of [...ofKind("ResourceClaim"), ...ofKind("ResourcePool")]) {
      for (const [name, values] of wants(object)) {
        const parameters = parametersOf(provider(name));
        const known = new Set(parameters.map((parameter) => parameter["name"]));
        assert.deepEqual(
          Object.keys(values).filter((key) => !known.has(key)),
          [],
          `${nameOf(object)} → ${name}`,
        );
        for (const parameter of parameters.filter((one) => at(object, "spec.provider") !== undefined && one["required"] === true)) {
          assert.ok(Object.hasOwn(values, String(parameter["name"])), `${nameOf(object)}: ${String(parameter["name"])} is required`);
        }
        assert.deepEqual(refused(values, parameters), [], `${nameOf(object)} → ${name}`);
      }
    }
  });

  it("link providers and scale pools that exist", () => {
    for (const object of ofKind("ResourceProvider")) {
      for (const link of list(at(object, "spec.linkedResourceProviders") ?? [], nameOf(object))) provider(String(at(link, "name")));
    }
    const pools = new Set(ofKind("ResourcePool").map(nameOf));
    for (const object of ofKind("ResourcePoolScaling")) assert.ok(pools.has(String(at(object, "spec.resourcePool.name"))));
  });

  it("keep ten handles ready in the pool", () => {
    assert.deepEqual(
      ofKind("ResourcePool").map((object) => [nameOf(object), at(object, "spec.minAvailable")]),
      [["notebooks", 10]],
    );
  });

  it("say handlebars wherever they template, and keep conditions on one line", () => {
    for (const object of ofKind("ResourceProvider")) assert.equal(at(object, "spec.template.style"), "handlebars", nameOf(object));
    const conditions = ours.flatMap(({ object }) =>
      ["healthCheck", "readinessCheck", "autoDelete.when", "autoDetach.when"].map((member) => at(object, `spec.${member}`)),
    );
    assert.deepEqual(
      conditions.filter((text) => typeof text === "string" && text.includes("\n")),
      [],
    );
  });
});

describe("rendered examples", () => {
  it("notebook: a ConfigMap from parameters and guid, healthy and ready at once", () => {
    const notebook = provider("notebook");
    const made = render(notebook, "spec.template.definition", { ...defaults(notebook), resource_claim: null });
    assert.deepEqual(made, { apiVersion: "v1", kind: "ConfigMap", data: { size: "small", greeting: "hello", state: "ready" } });
    assert.deepEqual(render(notebook, "spec.override", { guid: "abc12" }), { metadata: { name: "notebook-abc12", namespace: "demo" } });
    const state = record(made, "notebook");
    assert.equal(condition(notebook, "spec.healthCheck", state), true);
    assert.equal(condition(notebook, "spec.readinessCheck", state), true);
    assert.equal(condition(notebook, "spec.healthCheck", { data: { state: "failed" } }), false);
    const resources = [{ state: { ...state, metadata: { name: "notebook-abc12" } } }];
    assert.deepEqual(render(notebook, "spec.statusSummaryTemplate", { resources }), {
      name: "notebook-abc12",
      size: "small",
      greeting: "hello",
    });
  });

  it("notebook: refuses an empty greeting", () => {
    const notebook = provider("notebook");
    const check = String(at(list(at(parametersOf(notebook)[1], "validation.checks"), "checks")[0], "check"));
    assert.equal(holds(check, notebook, { value: "hello" }), true);
    assert.equal(holds(check, notebook, { value: "  " }), false);
  });

  it("batch-run: numbers stay numbers, the claim gives the namespace, success makes it ready", () => {
    const batch = provider("batch-run");
    const made = render(batch, "spec.template.definition", { ...defaults(batch), workers: 2 });
    assert.equal(at(made, "spec.parallelism"), 2);
    assert.deepEqual(at(list(at(made, "spec.template.spec.containers"), "containers")[0], "command"), ["sh", "-c", "sleep 5"]);
    assert.deepEqual(at(render(batch, "spec.override", { guid: "abc12", resource_claim: claim }), "metadata"), {
      name: "batch-run-abc12",
      namespace: "demo",
    });
    const running = { spec: { completions: 2 }, status: { active: 2 } };
    assert.deepEqual([condition(batch, "spec.healthCheck", running), condition(batch, "spec.readinessCheck", running)], [true, false]);
    assert.equal(condition(batch, "spec.readinessCheck", { spec: { completions: 2 }, status: { succeeded: 2 } }), true);
    assert.equal(condition(batch, "spec.healthCheck", { status: { failed: 3 } }), false);
  });

  it("widget: valid against its own definition, ready by status, optional parts left out", () => {
    const widget = provider("widget");
    const made = record(render(widget, "spec.template.definition", { ...defaults(widget), colour: "green" }), "widget");
    const validate = definitions.get("demo.poolstream.dev/v1 Widget");
    assert.ok(validate);
    assert.ok(validate({ ...made, metadata: {} }), JSON.stringify(validate.errors));
    assert.deepEqual(made["spec"], { colour: "green", slots: 3 });
    assert.equal(condition(widget, "spec.readinessCheck", { status: { phase: "ready" } }), true);
    assert.equal(condition(widget, "spec.readinessCheck", made), false);
    assert.equal(condition(widget, "spec.healthCheck", made), true);
    assert.deepEqual(render(widget, "spec.statusSummaryTemplate", { resources: [{ state: made }] }), { phase: "starting" });
  });

  it("studio: waits for the widget, then carries what it became", () => {
    const studio = provider("studio");
    const link = record(list(at(studio, "spec.linkedResourceProviders"), "links")[0], "link");
    assert.equal(holds(String(link["when"]), studio, defaults(studio)), true);
    assert.equal(holds(String(link["when"]), studio, { with_widget: false }), false);
    assert.equal(holds(String(link["waitFor"]), studio, { linked_resource_state: { status: { phase: "starting" } } }), false);
    assert.equal(holds(String(link["waitFor"]), studio, { linked_resource_state: { status: { phase: "ready" } } }), true);
    const made = render(studio, "spec.override", { guid: "abc12", widget_name: "widget-abc12" });
    assert.deepEqual(at(made, "data"), { widget: "widget-abc12" });
    assert.equal(condition(studio, "spec.readinessCheck", record(made, "studio")), true);
  });

  it("claims delete themselves when they say so", () => {
    const large = ofKind("ResourceClaim").find((object) => nameOf(object) === "large-notebook");
    assert.ok(large);
    assert.equal(
      holds(String(at(large, "spec.autoDelete.when")), large, { metadata: { creationTimestamp: "2001-01-02T03:04:05Z" } }),
      true,
    );
    assert.equal(
      holds(String(at(large, "spec.autoDelete.when")), large, { metadata: { creationTimestamp: "2999-01-02T03:04:05Z" } }),
      false,
    );
  });
});
