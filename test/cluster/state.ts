// What the command line remembers between its calls: the control plane that `start` of this work tree runs, if any.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, processIdentity } from "../support/scratch.ts";

const FOLDER = join(import.meta.dirname, "..", "..", ".tmp");
const FILE = join(FOLDER, "cluster.json");

export interface State {
  /** Of the process that owns the control plane. */
  readonly identity: string;
  readonly pid: number;
  readonly kubeconfigPath: string;
  readonly serverUrl: string;
  readonly dir: string;
}

/** File that takes the output of a detached start. */
export function detachedLog(): string {
  mkdirSync(FOLDER, { recursive: true });
  return join(FOLDER, "cluster.log");
}

/** Undefined when none runs, whatever an earlier one left behind. */
export function readState(): State | undefined {
  try {
    const state = JSON.parse(readFileSync(FILE, "utf8")) as State;
    return isAlive(state.identity) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Renamed into place, so that a reader never sees half of it. */
export function writeState(cluster: Pick<State, "kubeconfigPath" | "serverUrl" | "dir">): void {
  const { kubeconfigPath, serverUrl, dir } = cluster;
  const state: State = { identity: processIdentity(process.pid) ?? "", pid: process.pid, kubeconfigPath, serverUrl, dir };
  mkdirSync(FOLDER, { recursive: true });
  const draft = `${FILE}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(state));
  renameSync(draft, FILE);
}

export function removeState(): void {
  rmSync(FILE, { force: true });
}
