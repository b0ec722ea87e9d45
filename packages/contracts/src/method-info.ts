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

/** A field as seen by the REST edge, the validator and redaction. */
export interface FieldInfo {
  /** Name in JSON and in query strings. */
  readonly jsonName: string;
  /** Name on the generated TypeScript message. */
  readonly property: string;
  readonly protoName: string;
  readonly kind: FieldKind;
  /** For an `integer` field: whether it has 32 bits. */
  readonly int32: boolean;
  /** The comment in the contract. */
  readonly comment: string;
  /** For a `message` field. */
  readonly message?: MessageInfo;
  readonly repeated: boolean;
  readonly map: boolean;
  /** Declared `optional`: absence differs from the zero value. */
  readonly optional: boolean;
  /** Name of the oneof on the generated message, if the field belongs to one. */
  readonly oneof?: string;
  readonly rules: Field | undefined;
  /** May appear in logs, traces, audit events and errors; all other fields are secret. */
  readonly public: boolean;
}

export interface MessageInfo {
  /** e.g. `claviger.vault.v1.Entry` */
  readonly name: string;
  /** The comment in the contract. */
  readonly comment: string;
  readonly fields: readonly FieldInfo[];
  readonly byJsonName: ReadonlyMap<string, FieldInfo>;
  /**
   * Proto names of the fields of each alternative, of which exactly one must be given; empty without such a
   * rule.
   */
  readonly oneOf: readonly (readonly string[])[];
  /** A rule of the service for the whole message; empty for none. */
  readonly rule: string;
}

export interface HttpBinding {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** e.g. `/api/v1/vault/entries/{entry_id}` with proto field names in braces. */
  readonly path: string;
  /** Whether fields outside the path come from the JSON body; otherwise from the query string. */
  readonly body: boolean;
  /** Proto name of the response field that forms the answer; the whole response when absent. */
  readonly responseBody?: string;
}

/** One operation, with all its declarations in proto/. */
export interface MethodInfo {
  /** gRPC path, e.g. `/claviger.vault.v1.EntriesService/GetEntry`. */
  readonly path: string;
  /** The comment in the contract. */
  readonly comment: string;
  /** The service that owns it: auth, vault, workflow, audit … ; every service serves `cluster` methods. */
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
