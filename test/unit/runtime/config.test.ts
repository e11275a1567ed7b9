import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/runtime/config.ts";
import type { Config } from "../../../src/runtime/config.ts";
import { ConfigError } from "../../../src/runtime/errors.ts";

function load(env: Record<string, string>, files: Record<string, string> = {}): Config {
  return loadConfig({
    env,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`no file ${path}`);
      return text;
    },
  });
}

function refusal(env: Record<string, string>, files: Record<string, string> = {}): string {
  try {
    load(env, files);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail("the configuration was accepted");
}

test("defaults hold without any setting", () => {
  const config = load({});
  assert.equal(config.string("operator.domain"), "poolboy.gpte.redhat.com");
  assert.deepEqual(config.kinds["resourceclaims"], { partitions: 4, workers: true, mode: "scheduler", resync: "60m" });
});

test("the environment wins over the file, the field's own names count", () => {
  const files = { "/c": "operator: {domain: from.file, version: v2}\nkinds: {resourcepools: {workers: off}}\n" };
  const config = load({ POOLSTREAM_CONFIG: "/c", OPERATOR_DOMAIN: "from.env" }, files);
  assert.equal(config.string("operator.domain"), "from.env");
  assert.equal(config.string("operator.version"), "v2");
  assert.equal(config.kinds["resourcepools"]?.workers, false);
});

test("AC-9, AC-44: unknown settings are rejected by name, in the environment and in the file", () => {
  assert.match(refusal({ POOLSTREAM_WORKER_CONCURENCY: "3" }), /POOLSTREAM_WORKER_CONCURENCY/);
  assert.match(refusal({ POOLSTREAM_CONFIG: "/c" }, { "/c": "worker: {taskAckLate: true}" }), /worker\.taskAckLate/);
});

test("bad values are named with what was expected", () => {
  assert.match(refusal({ POOLSTREAM_WORKER_CONCURRENCY: "many" }), /worker\.concurrency must be a number.*"many"/);
  assert.match(
    refusal({ POOLSTREAM_KINDS_RESOURCECLAIMS_MODE: "cron" }),
    /kinds\.resourceclaims\.mode must be one of scheduler, daemon, both/,
  );
  assert.match(refusal({ POOLSTREAM_KINDS_RESOURCECLAIMS_PARTITIONS: "0" }), /between 1 and 1024/);
  assert.match(refusal({ POOLSTREAM_CONFIG: "/missing" }), /POOLSTREAM_CONFIG/);
});

test("a missing required setting is named with every way to set it", () => {
  assert.throws(
    () => load({}).string("operator.namespace"),
    /operator\.namespace is required: set POOLSTREAM_OPERATOR_NAMESPACE or OPERATOR_NAMESPACE/,
  );
});

test("secrets are masked in the effective values", () => {
  const config = load({ REDIS_URL: "redis://user:hunter2@host:1" });
  assert.equal(config.text["redis.url"], "***");
  assert.equal(config.string("redis.url"), "redis://user:hunter2@host:1");
  assert.ok(!JSON.stringify(config.text).includes("hunter2"));
});

test("in a pod the namespace is the pod's own", () => {
  const files = { "/var/run/secrets/kubernetes.io/serviceaccount/namespace": "pod-ns\n" };
  assert.equal(load({}, files).string("operator.namespace"), "pod-ns");
});

test("a missing HOSTNAME variable does not matter", () => {
  assert.notEqual(load({}).string("operator.instance"), "");
});

test("variables that Kubernetes makes of a Service named poolstream-redis are no settings", () => {
  load({
    POOLSTREAM_REDIS_SERVICE_HOST: "10.0.0.1",
    POOLSTREAM_REDIS_PORT: "tcp://10.0.0.1:6379",
    POOLSTREAM_REDIS_PORT_6379_TCP_ADDR: "10.0.0.1",
  });
});
