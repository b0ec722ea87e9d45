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
  /** Of HTTP. */
  readonly status: number;
  readonly json: string;
  /** Of the object that is the whole answer, when it has a version. */
  readonly rowVersion: number | undefined;
}

/** Renders a response message; compiled once for each route. */
export type ResponseEncoder = (response: Message) => EncodedResponse;

/**
 * Compiles the encoder of a route's answers: the response, or the one field that the contract says is the answer. JSON
 * names as in the contract; what is absent is left out, or null where the contract knows null; numbers are numbers;
 * bytes are base64. The field that says which status holds stands in no body.
 */
export function responseEncoder(method: MethodInfo, binding: HttpBinding): ResponseEncoder {
  const only = binding.responseBody
    ? method.response.fields.find((field) => field.protoName === binding.responseBody)
    : undefined;
  if (binding.responseBody && only?.kind !== 'message')
    throw new Error(
      `${method.path}: its response_body ${binding.responseBody} is no message of its response.`,
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
    if (body === undefined) throw new Error(`${method.path} answered without its ${only?.protoName}.`);
    return {
      status: statusOf(response),
      json: JSON.stringify(toJson ? toJson(body) : body),
      rowVersion: versioned ? (body.rowVersion as number) : undefined,
    };
  };
}

/** A service that answers a status which the contract does not name has a mistake in it. */
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

/** Whether a route's answers carry an ETag. */
export function answersVersion(method: MethodInfo, binding: HttpBinding): boolean {
  const body = method.response.fields.find((field) => field.protoName === binding.responseBody)?.message;
  const fields = (body ?? method.response).fields;
  return (
    !method.policy?.discloses && fields.some((field) => field.protoName === 'row_version' && !field.repeated)
  );
}

/**
 * Undefined where the generated message is its own JSON already: absent fields are undefined, times are RFC 3339
 * texts, structs are plain objects. That is so for most answers, and saves a copy. `partly`: not all fields are shown.
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
  if (field.map) throw new Error(`${field.protoName}: the REST edge knows no maps; use a list.`);
  if (field.kind === 'bytes') return (value) => Buffer.from(value as Uint8Array).toString('base64');
  if (field.kind !== 'message') return undefined;
  const nested = objectEncoder(field.message!, within);
  return nested && ((value) => nested(value as Message));
}
