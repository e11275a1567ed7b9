// The six definitions against crd-contract.json, a transcription of the API contract (spec crds.md 1, 3-8, 10): every path,
// type, requirement and constraint, and what surrounds the schema. One deliberate addition is named in EXTENSIONS.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { at, CRD_FOLDER, definition, list, record, rowsOf, schemaOf, version, yamlFiles } from "./manifest.ts";
import type { Json, Row } from "./manifest.ts";

const DOMAIN = "poolboy.gpte.redhat.com";
const ROW_COUNTS: Readonly<Record<string, number>> = {
  resourceclaims: 70,
  resourcehandles: 61,
  resourcepools: 43,
  resourcepoolscalings: 15,
  resourceproviders: 69,
  resourcewatches: 14,
};

/** Where we accept more than the contract (docs/decisions/0007-crd-style-enum.md); what it accepts must remain a subset. */
const EXTENSIONS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  resourceproviders: { "spec.template.style": { enum: ["jinja2", "handlebars"] } },
};

const contract = record(JSON.parse(readFileSync(join(import.meta.dirname, "crd-contract.json"), "utf8")), "contract");

function expectedRows(plural: string): readonly Json[] {
  const rows = list(at(contract, `${plural}.rows`), plural).map((row) => record(row, plural));
  return rows.map((row) => {
    const extension = EXTENSIONS[plural]?.[String(row["path"])];
    return extension === undefined ? row : Object.assign({}, row, { constraints: extension });
  });
}

function byPath<T extends Json | Row>(rows: readonly T[]): ReadonlyMap<unknown, T> {
  return new Map(rows.map((row) => [row.path, row]));
}

describe("custom resource definitions", () => {
  it("are exactly the kinds of the contract, all listed in the kustomization", () => {
    const files = yamlFiles(CRD_FOLDER)
      .map((path) => basename(path))
      .filter((name) => name !== "kustomization.yaml");
    const wanted = Object.keys(ROW_COUNTS)
      .map((plural) => `${plural}.yaml`)
      .sort();
    assert.deepEqual(files, wanted);
    assert.deepEqual(Object.keys(contract).sort(), Object.keys(ROW_COUNTS).sort());
    assert.deepEqual(at(definition(join(CRD_FOLDER, "kustomization.yaml")), "resources"), wanted);
  });

  it("number 272 rows in all", () => {
    const counts = Object.keys(ROW_COUNTS).map((plural) => rowsOf(schemaOf(definition(join(CRD_FOLDER, `${plural}.yaml`)))).length);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      272,
    );
  });

  for (const [plural, count] of Object.entries(ROW_COUNTS)) {
    describe(plural, () => {
      const crd = definition(join(CRD_FOLDER, `${plural}.yaml`));
      const wanted = record(contract[plural], plural);

      it(`has the ${count} rows of the contract`, () => {
        const rows = rowsOf(schemaOf(crd));
        assert.equal(rows.length, count);
        assert.equal(wanted["rowCount"], count);
        assert.deepEqual(byPath(rows), byPath(expectedRows(plural)));
      });

      it("extends enumerations only by adding to them", () => {
        for (const row of list(wanted["rows"], plural).map((value) => record(value, plural))) {
          const original = list(at(row, "constraints.enum") ?? [], plural);
          const own = list(byPath(rowsOf(schemaOf(crd))).get(row["path"])?.constraints["enum"] ?? [], plural);
          assert.deepEqual(
            original.filter((value) => !own.includes(value)),
            [],
            String(row["path"]),
          );
        }
      });

      it("has the names of the contract and nothing beyond them", () => {
        assert.equal(crd["apiVersion"], "apiextensions.k8s.io/v1");
        assert.equal(crd["kind"], "CustomResourceDefinition");
        assert.deepEqual(crd["metadata"], { name: wanted["name"] });
        const { versions, ...spec } = record(crd["spec"], plural);
        assert.equal(list(versions, plural).length, 1);
        assert.deepEqual(spec, {
          group: DOMAIN,
          scope: wanted["scope"],
          names: { plural, singular: wanted["singular"], kind: wanted["kind"] },
        });
      });

      it("serves one version with the contract's columns, subresources and selectable fields", () => {
        const { schema, selectableFields, ...rest } = version(crd);
        assert.deepEqual(Object.keys(record(schema, plural)), ["openAPIV3Schema"]);
        assert.deepEqual(
          list(selectableFields ?? [], plural).map((field) => at(field, "jsonPath")),
          wanted["selectableFields"],
        );
        assert.deepEqual(rest, {
          name: "v1",
          served: true,
          storage: true,
          additionalPrinterColumns: wanted["printerColumns"],
          ...(wanted["statusSubresource"] === true ? { subresources: { status: {} } } : {}),
        });
      });
    });
  }
});

describe("the walk", () => {
  it("refuses keywords that the contract has no column for", () => {
    assert.throws(
      () => rowsOf({ type: "object", properties: { a: { type: "string", default: "x" } } }),
      /a: keyword outside the contract: default/u,
    );
    assert.throws(() => rowsOf({ type: "string", nullable: true }), /nullable/u);
  });

  it("refuses a required member that is not declared", () => {
    assert.throws(
      () => rowsOf({ type: "object", properties: { a: { type: "object", required: ["b"], properties: {} } } }),
      /required but not declared: b/u,
    );
  });

  it("names lists, maps and flags as the contract does", () => {
    const rows = rowsOf({
      type: "object",
      required: ["a"],
      properties: {
        a: { type: "array", items: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        m: { type: "object", additionalProperties: { type: "string" } },
      },
    });
    assert.deepEqual(
      rows.map(({ path, required, keepsUnknown }) => [path, required, keepsUnknown]),
      [
        ["(root)", false, false],
        ["a", true, false],
        ["a[]", false, true],
        ["m", false, false],
        ["m.*", false, false],
      ],
    );
  });
});
