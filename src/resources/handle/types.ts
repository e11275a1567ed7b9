// ResourceHandle as declared by its CRD (spec crds 4).
import type { ObjectMeta } from "../../kube/types.ts";
import type { Lifespan, Reference, ResourceEntry, Values } from "../provider/types.ts";

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface HandleSpec {
  readonly lifespan?: Omit<Lifespan, "unclaimed"> & { readonly end?: string };
  readonly preferenceScore?: number;
  readonly provider?: { readonly name: string; readonly parameterValues?: Values };
  readonly resourceAnnotations?: Readonly<Record<string, string>>;
  readonly resourceLabels?: Readonly<Record<string, string>>;
  readonly resourceClaim?: Reference;
  readonly resourcePool?: Reference;
  readonly resources?: readonly ResourceEntry[];
  readonly vars?: Values;
}

export interface ResourceStatus {
  readonly name?: string;
  readonly healthy?: boolean;
  readonly ready?: boolean;
  readonly reference?: ObjectReference;
  readonly waitingFor?: string;
}

export interface HandleStatus {
  readonly healthy?: boolean;
  readonly ready?: boolean;
  readonly resources?: readonly ResourceStatus[];
  readonly summary?: Values;
}

export interface ResourceHandle {
  readonly apiVersion: string;
  readonly kind: "ResourceHandle";
  readonly metadata: ObjectMeta;
  readonly spec: HandleSpec;
  readonly status?: HandleStatus;
}
