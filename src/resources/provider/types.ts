// ResourceProvider as declared by its CRD (spec crds 7).
import type { ObjectMeta } from "../../kube/types.ts";
import type { TemplateStyle } from "../../templating/engine.ts";

export interface Lifespan {
  readonly default?: string;
  readonly maximum?: string;
  readonly relativeMaximum?: string;
  readonly unclaimed?: string;
}

export interface Check {
  readonly name: string;
  readonly check: string;
}

export interface Validation {
  readonly checks?: readonly Check[];
  readonly openAPIV3Schema?: Readonly<Record<string, unknown>>;
}

export interface Parameter {
  readonly name: string;
  readonly allowUpdate?: boolean;
  readonly required?: boolean;
  readonly default?: { readonly value?: unknown; readonly template?: string };
  readonly validation?: Validation;
}

export interface LinkedProvider {
  readonly name: string;
  readonly resourceName?: string;
  readonly parameterValues?: Readonly<Record<string, unknown>>;
  readonly when?: string;
  readonly waitFor?: string;
  readonly templateVars?: readonly { readonly name: string; readonly from: string }[];
}

export interface UpdateFilter {
  readonly pathMatch: string;
  readonly allowedOps?: readonly string[];
}

export interface ProviderSpec {
  readonly approval?: { readonly required?: boolean; readonly pendingMessage?: string };
  readonly default?: Readonly<Record<string, unknown>>;
  readonly disableCreation?: boolean;
  readonly healthCheck?: string;
  readonly readinessCheck?: string;
  readonly lifespan?: Lifespan;
  readonly linkedResourceProviders?: readonly LinkedProvider[];
  readonly match?: Readonly<Record<string, unknown>>;
  readonly matchIgnore?: readonly string[];
  readonly override?: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly Parameter[];
  readonly resourceClaimAnnotations?: Readonly<Record<string, string>>;
  readonly resourceClaimLabels?: Readonly<Record<string, string>>;
  readonly resourceName?: string;
  readonly resourceRequiresClaim?: boolean;
  readonly statusSummaryTemplate?: Readonly<Record<string, unknown>>;
  readonly template?: {
    readonly definition?: Readonly<Record<string, unknown>>;
    readonly enable?: boolean;
    readonly style?: TemplateStyle;
  };
  readonly updateFilters?: readonly UpdateFilter[];
  readonly validation?: Validation;
  readonly vars?: Readonly<Record<string, unknown>>;
}

export interface ResourceProvider {
  readonly apiVersion: string;
  readonly kind: "ResourceProvider";
  readonly metadata: ObjectMeta;
  readonly spec: ProviderSpec;
}

/** Reference to one of our objects, as stored in handles and claims. */
export interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** An entry of a claim's or handle's resource list. */
export interface ResourceEntry {
  readonly name?: string;
  readonly provider: Reference;
  readonly template?: Readonly<Record<string, unknown>>;
}

export type Values = Readonly<Record<string, unknown>>;
