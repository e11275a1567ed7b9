// Status of a handle: verdicts and summary from what is live (spec resource-handle 3.11). Computes;
// reconcile.ts writes.
import { isRecord } from "../../kube/patch.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Context } from "../kind.ts";
import { findProvider } from "../provider/lookup.ts";
import { nameOf, templateVars } from "../provider/generate.ts";
import type { ResourceProvider } from "../provider/types.ts";
import { entryHealth, overall, present, withVerdicts } from "./health.ts";
import type { Verdict } from "./health.ts";
import type { Managed } from "./resources.ts";
import type { HandleStatus } from "./types.ts";
import { handleVariable } from "./variable.ts";

/** The status that the live objects call for. */
export async function evaluateStatus(managed: Managed, context: Context): Promise<HandleStatus> {
  const verdicts = managed.statuses.map((_, index) =>
    entryHealth({
      state: managed.states[index],
      healthy: () => check("healthCheck", managed, index, context),
      ready: () => check("readinessCheck", managed, index, context),
    }),
  );
  const { healthy: _, ready: __, ...rest } = managed.handle.status ?? {};
  const summary = await summarize(managed, context);
  return {
    ...rest,
    resources: managed.statuses.map((entry, index) => withVerdicts(entry, verdicts[index] ?? { healthy: undefined, ready: undefined })),
    ...present("healthy", overall(verdicts.map(({ healthy }) => healthy))),
    ...present("ready", overall(verdicts.map(({ ready }) => ready))),
    ...(isRecord(summary) ? { summary } : {}),
  };
}

function check(which: "healthCheck" | "readinessCheck", managed: Managed, index: number, context: Context): Verdict {
  const provider = managed.providers[index];
  const expression = provider?.spec[which];
  if (!provider || expression === undefined) return undefined;
  try {
    const result = context.templating.condition(expression, {
      style: provider.spec.template?.style,
      variables: { ...managed.states[index], resource_handle: handleVariable(managed.handle) },
      templateVariables: provider.spec.vars,
      source: `ResourceProvider ${nameOf(provider)} ${which}`,
    });
    managed.readsClock ||= result.readsClock;
    return result.value;
  } catch (error) {
    context.log.warn({ reason: messageOf(error) }, `${which} failed`);
    return undefined;
  }
}

// A failing summary leaves the present one as it is; a summary is never removed.
async function summarize(managed: Managed, context: Context): Promise<unknown> {
  const { handle, states } = managed;
  try {
    const provider = await summaryProvider(managed, context);
    if (!provider?.spec.statusSummaryTemplate) return handle.status?.summary;
    const resources = (handle.spec.resources ?? []).map((entry, index) => Object.assign({}, entry, { state: states[index] ?? null }));
    const result = context.templating.render(provider.spec.statusSummaryTemplate, {
      style: provider.spec.template?.style,
      variables: { ...handle.spec.provider?.parameterValues, resource_handle: handleVariable(handle), resources },
      templateVariables: templateVars(provider.spec, handle.spec.vars),
      source: `ResourceProvider ${nameOf(provider)} statusSummaryTemplate`,
    });
    managed.readsClock ||= result.readsClock;
    return result.value;
  } catch (error) {
    context.log.warn({ reason: messageOf(error) }, "status summary failed");
    return handle.status?.summary;
  }
}

async function summaryProvider({ handle, providers }: Managed, context: Context): Promise<ResourceProvider | undefined> {
  const top = handle.spec.provider?.name;
  return top === undefined ? providers.at(-1) : findProvider(top, context);
}
