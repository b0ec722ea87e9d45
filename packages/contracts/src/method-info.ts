import type { Field, Policy } from './generated/claviger/options/v1/options.ts';

export type FieldKind =
  | 'string'
  | 'bool'
  | 'integer'
  | 'double'
  | 'bytes'
  | 'timestamp'
  | 'struct'
  | 'message';

/** A field as the REST edge, the validator and the redaction see it. */
export interface FieldInfo {
  /** Name in JSON and in query strings. */
  readonly jsonName: string;
  /** Name on the generated TypeScript message. */
  readonly property: string;
  readonly protoName: string;
  readonly kind: FieldKind;
  /** Of an `integer` field: 32 bits, so that a larger number has no place in it. */
  readonly int32: boolean;
  /** What the contract says about it. */
  readonly comment: string;
  /** Of a `message` field. */
  readonly message?: MessageInfo;
  readonly repeated: boolean;
  readonly map: boolean;
  /** Declared `optional`: absence differs from the zero value. */
  readonly optional: boolean;
  /** Name of the oneof on the generated message, when the field belongs to one. */
  readonly oneof?: string;
  readonly rules: Field | undefined;
  /** May stand in logs, traces, audit events and errors; everything else is secret. */
  readonly public: boolean;
}

export interface MessageInfo {
  /** e.g. `claviger.vault.v1.Entry` */
  readonly name: string;
  /** What the contract says about it. */
  readonly comment: string;
  readonly fields: readonly FieldInfo[];
  readonly byJsonName: ReadonlyMap<string, FieldInfo>;
  /** Proto names of the fields of each alternative, of which exactly one is given; empty where there is no such rule. */
  readonly oneOf: readonly (readonly string[])[];
  /** What the service judges of the message as a whole; empty where there is nothing. */
  readonly rule: string;
}

export interface HttpBinding {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** e.g. `/api/v1/vault/entries/{entry_id}` with proto field names in braces. */
  readonly path: string;
  /** True when fields outside the path come from the JSON body, else they come from the query string. */
  readonly body: boolean;
  /** Proto name of the response field that is the whole answer; the whole response when absent. */
  readonly responseBody?: string;
}

/** One operation: everything that its declaration in proto/ says. */
export interface MethodInfo {
  /** gRPC path, e.g. `/claviger.vault.v1.EntriesService/GetEntry`. */
  readonly path: string;
  /** What the contract says about it. */
  readonly comment: string;
  /** Service that owns it: auth, vault, workflow, audit … ; `cluster` methods are served by every service. */
  readonly owner: string;
  readonly service: string;
  readonly name: string;
  /** Key in the generated service definition. */
  readonly property: string;
  readonly request: MessageInfo;
  readonly response: MessageInfo;
  readonly responseStream: boolean;
  readonly policy: Policy | undefined;
  readonly http: readonly HttpBinding[];
}
