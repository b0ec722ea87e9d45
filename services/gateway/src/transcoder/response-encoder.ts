import {
  type FieldInfo,
  type HttpBinding,
  type MessageInfo,
  type MethodInfo,
  statusFieldOf,
} from '@claviger/contracts';
import type { Message } from './message-template.ts';

type ToJson = (message: Message) => Message;

export interface EncodedResponse {
  /** HTTP status. */
  readonly status: number;
  readonly json: string;
  /** Row version of the object that the answer shows, if it has one. */
  readonly rowVersion: number | undefined;
}

/** Encodes a response message; compiled once for each route. */
export type ResponseEncoder = (response: Message) => EncodedResponse;

/**
 * Compiles the encoder of a route's answers: the response, or the one field that the contract names as body.
 * Field names are JSON names; absent fields are omitted, or null where the contract allows it; bytes are
 * base64. The field with the HTTP status is not in the body.
 */
export function responseEncoder(method: MethodInfo, binding: HttpBinding): ResponseEncoder {
  const only = binding.responseBody
    ? method.response.fields.find((field) => field.protoName === binding.responseBody)
    : undefined;
  if (binding.responseBody && only?.kind !== 'message')
    throw new Error(
      `${method.path}: its response_body ${binding.responseBody} is not a message field of its response.`,
    );
  const statusField = statusFieldOf(method);
  const shown = only?.message ?? {
    ...method.response,
    fields: method.response.fields.filter((field) => field !== statusField),
  };
  const toJson = objectEncoder(shown, new Set(), !only && statusField !== undefined);
  const statusOf = statusReader(method, statusField);
  const versioned = answersVersion(method, binding);
  return (response) => {
    const body = only ? (response[only.property] as Message | undefined) : response;
    if (body === undefined) throw new Error(`${method.path} answered without ${only?.protoName}.`);
    return {
      status: statusOf(response),
      json: JSON.stringify(toJson ? toJson(body) : body),
      rowVersion: versioned ? (body.rowVersion as number) : undefined,
    };
  };
}

/** Reads the HTTP status. Throws for one that the contract does not declare: a defect of the service. */
function statusReader(method: MethodInfo, field: FieldInfo | undefined): (response: Message) => number {
  const { successStatus, otherSuccessStatuses } = method.policy!;
  const usual = successStatus || 200;
  if (!field) return () => usual;
  return (response) => {
    const given = (response[field.property] as number) || usual;
    if (given !== usual && !otherSuccessStatuses.includes(given))
      throw new Error(`${method.path} answered the status ${given}, which its policy does not name.`);
    return given;
  };
}

/** Whether the answers of a route have an ETag. */
export function answersVersion(method: MethodInfo, binding: HttpBinding): boolean {
  const body = method.response.fields.find((field) => field.protoName === binding.responseBody)?.message;
  const fields = (body ?? method.response).fields;
  return (
    !method.policy?.discloses && fields.some((field) => field.protoName === 'row_version' && !field.repeated)
  );
}

/**
 * Returns undefined when the generated message already equals its JSON: absent fields are undefined, times
 * are RFC 3339 texts, structs are plain objects. This saves a copy of most answers. `partly`: some fields are
 * not shown.
 */
function objectEncoder(info: MessageInfo, within: ReadonlySet<string>, partly = false): ToJson | undefined {
  if (within.has(info.name)) throw new Error(`${info.name} contains itself: the REST edge cannot render it.`);
  const inside = new Set([...within, info.name]);
  const steps: ((from: Message, to: Message) => void)[] = [];
  let plain = !partly;
  for (const field of info.fields) {
    const value = valueEncoder(field, inside);
    const { oneof, jsonName, property, rules } = field;
    if (value || oneof || rules?.nullable || jsonName !== property) plain = false;
    steps.push(fieldStep(field, value));
  }
  if (plain) return undefined;
  return (from) => {
    const to: Message = {};
    for (const step of steps) step(from, to);
    return to;
  };
}

function fieldStep(field: FieldInfo, encode: ((value: unknown) => unknown) | undefined) {
  const { property, jsonName, oneof, rules } = field;
  const nullable = rules?.nullable === true;
  return (from: Message, to: Message): void => {
    const chosen = oneof ? (from[oneof] as { $case: string; value: unknown } | undefined) : undefined;
    const value = oneof ? (chosen?.$case === property ? chosen.value : undefined) : from[property];
    if (value !== undefined) to[jsonName] = encode ? encode(value) : value;
    else if (nullable) to[jsonName] = null;
  };
}

function valueEncoder(
  field: FieldInfo,
  within: ReadonlySet<string>,
): ((value: unknown) => unknown) | undefined {
  const one = singleEncoder(field, within);
  if (!one || !field.repeated) return one;
  return (value) => (value as unknown[]).map(one);
}

function singleEncoder(
  field: FieldInfo,
  within: ReadonlySet<string>,
): ((value: unknown) => unknown) | undefined {
  if (field.map) throw new Error(`${field.protoName}: the REST edge does not support maps; use a list.`);
  if (field.kind === 'bytes') return (value) => Buffer.from(value as Uint8Array).toString('base64');
  if (field.kind !== 'message') return undefined;
  const nested = objectEncoder(field.message!, within);
  return nested && ((value) => nested(value as Message));
}
