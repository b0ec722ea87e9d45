import type { FieldInfo, HttpBinding, MessageInfo, MethodInfo } from '@claviger/contracts';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';

/** A request in HTTP form. */
export interface WireRequest {
  readonly method: HttpBinding['method'];
  /** Path with its parameters, and query string. */
  readonly path: string;
  /** JSON body; absent if the operation has none. */
  readonly body?: Record<string, unknown>;
}

/** Distributes the fields of a request to path, query and body, by the declaration of the operation. */
export function wireRequest(info: MethodInfo, message: object): WireRequest {
  const binding = info.http[0];
  if (binding === undefined) throw new Error(`${info.path} is not part of the REST API`);
  const values = { ...(message as Record<string, unknown>) };
  const path = binding.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const field = info.request.fields.find((each) => each.protoName === name);
    const value = field === undefined ? undefined : values[field.property];
    if (field === undefined || value === undefined || value === '' || value === '.' || value === '..') {
      throw new CommandError(`${field?.jsonName ?? name} is missing or not an id`, EXIT.usage);
    }
    delete values[field.property];
    return encodeURIComponent(String(value));
  });
  if (binding.body) return { method: binding.method, path, body: messageToJson(info.request, values) };
  const query = new URLSearchParams();
  for (const field of info.request.fields) {
    const value = values[field.property];
    if (isAbsent(value)) continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(field.jsonName, String(each));
  }
  return { method: binding.method, path: query.size > 0 ? `${path}?${query}` : path };
}

/** The fields of the message under their JSON names, without undefined ones. */
export function messageToJson(info: MessageInfo, message: object): Record<string, unknown> {
  const values = message as Record<string, unknown>;
  const json: Record<string, unknown> = {};
  for (const field of info.fields) {
    const value = values[field.property];
    if (value === undefined) continue;
    if (value === null) json[field.jsonName] = null;
    else
      json[field.jsonName] = each(field, value, (item) =>
        field.message !== undefined && !field.map ? messageToJson(field.message, item as object) : item,
      );
  }
  return json;
}

/** Converts a JSON answer to its message: JSON names to properties, absent fields to zero values. */
export function answerOf(info: MethodInfo, json: unknown): object {
  const responseBody = info.http[0]?.responseBody;
  const whole = info.response.fields.find((field) => field.protoName === responseBody);
  return messageFromJson(info.response, whole === undefined ? json : { [whole.jsonName]: json });
}

function messageFromJson(info: MessageInfo, json: unknown): Record<string, unknown> {
  const values = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  const message: Record<string, unknown> = {};
  for (const field of info.fields) {
    const value = values[field.jsonName] ?? undefined;
    message[field.property] =
      value === undefined ? zeroOf(field) : each(field, value, (item) => valueFromJson(field, item));
  }
  return message;
}

function valueFromJson(field: FieldInfo, value: unknown): unknown {
  if (field.kind === 'message' && field.message !== undefined && !field.map) {
    return messageFromJson(field.message, value);
  }
  // 64-bit numbers can be strings.
  return field.kind === 'integer' && typeof value === 'string' ? Number(value) : value;
}

function each(field: FieldInfo, value: unknown, convert: (item: unknown) => unknown): unknown {
  return field.repeated && !field.map && Array.isArray(value) ? value.map(convert) : convert(value);
}

function zeroOf(field: FieldInfo): unknown {
  if (field.map) return {};
  if (field.repeated) return [];
  if (field.optional || field.oneof !== undefined) return undefined;
  if (field.kind === 'string') return '';
  if (field.kind === 'integer' || field.kind === 'double') return 0;
  return field.kind === 'bool' ? false : undefined;
}

const isAbsent = (value: unknown) =>
  value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0);
