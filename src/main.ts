#!/usr/bin/env node
// Composition root: config → logger → clients → bus → roles → start, stop on signal. The only file that knows both buses
// and puts a worker into the leading controller (`workers: off`).
import { loadConfig } from "./runtime/config.ts";
import type { Config } from "./runtime/config.ts";
import { ConfigError, messageOf } from "./runtime/errors.ts";
import { createLogger } from "./runtime/log.ts";
import type { Logger } from "./runtime/log.ts";
import { metrics, startDefaultMetrics } from "./runtime/metrics.ts";
import type { Service } from "./runtime/service.ts";
import { composeBeat, composeController, composeStandalone, composeWorker } from "./compose.ts";

const VERSION = "0.1.0";
const ROLES = {
  controller: composeController,
  worker: composeWorker,
  beat: composeBeat,
  standalone: composeStandalone,
} as const;
type Role = keyof typeof ROLES;

const USAGE = `usage: poolstream <role>
  controller   watch the Kubernetes API and publish keys (leader by Lease)
  worker       reconcile what is published
  beat         move due work and fire ticks
  standalone   all of it in one process, without Redis
Settings come from the environment and from the file that POOLSTREAM_CONFIG names; see docs/configuration.md.
`;

function isRole(text: string | undefined): text is Role {
  return text !== undefined && Object.hasOwn(ROLES, text);
}

async function main(): Promise<number> {
  const [role, ...rest] = process.argv.slice(2);
  if (!isRole(role) || rest.length > 0) {
    process.stderr.write(USAGE);
    return role === "help" || role === "--help" ? 0 : 2;
  }
  const config = loadConfig();
  const log = createLogger({ level: config.string("log.level"), role });
  log.info({ settings: config.text, version: VERSION }, "effective settings");
  startDefaultMetrics();
  metrics.build.set({ version: VERSION, role }, 1);
  return run(ROLES[role](config, log), config, log);
}

async function run(service: Service, config: Config, log: Logger): Promise<number> {
  const stopped = stopSignal();
  await service.start();
  log.info({ pid: process.pid }, "started");
  const reason = await stopped;
  log.info({ reason }, "stopping");
  await service.stop();
  log.info({ graceMs: config.number("worker.graceMs") }, "stopped");
  return 0;
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  // One sentence for a person; the stack only where it is not a matter of settings.
  const text = error instanceof ConfigError || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
  process.stderr.write(`poolstream: ${text}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
// Whatever a library still keeps open must not keep a stopped process alive.
process.exit();
