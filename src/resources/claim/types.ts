// ResourceClaim as declared by its CRD (spec crds 3).
import type { ObjectMeta } from "../../kube/types.ts";
import type { ResourceStatus } from "../handle/types.ts";
import type { Reference, Values } from "../provider/types.ts";

export interface ClaimResource {
  readonly name?: string;
  readonly provider?: Partial<Reference>;
  readonly template?: Values;
}

export interface ClaimResourceStatus extends ResourceStatus {
  readonly provider?: Reference;
  readonly state?: unknown;
  readonly validationError?: string;
}

export interface ClaimStatus {
  readonly approval?: { readonly state: string; readonly message?: string };
  readonly healthy?: boolean;
  readonly ready?: boolean;
  readonly lifespan?: {
    readonly start?: string;
    readonly end?: string;
    readonly maximum?: string;
    readonly relativeMaximum?: string;
    readonly firstReady?: string;
  };
  readonly provider?: { readonly name: string; readonly parameterValues?: Values; readonly validationErrors?: readonly string[] };
  readonly resourceHandle?: Reference & { readonly detached?: boolean };
  readonly resources?: readonly ClaimResourceStatus[];
  readonly summary?: Values;
}

export interface ResourceClaim {
  readonly apiVersion: string;
  readonly kind: "ResourceClaim";
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly autoDelete?: { readonly when?: string };
    readonly autoDetach?: { readonly when?: string };
    readonly disableCreation?: boolean;
    readonly lifespan?: { readonly start?: string; readonly end?: string };
    readonly provider?: { readonly name: string; readonly parameterValues?: Values };
    readonly resources?: readonly ClaimResource[];
  };
  readonly status?: ClaimStatus;
}
