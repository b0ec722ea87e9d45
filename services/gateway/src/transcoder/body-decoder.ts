import type { FieldInfo, MessageInfo } from '@claviger/contracts';
import type { FieldProblem } from '@claviger/errors';
import { stepTo } from '../json/parse-strict-json.ts';
import { type Message, messageTemplate, place } from './message-template.ts';
import { bytesOf, integerProblem, isDateTime, NOT_A_TIME } from './scalar-rules.ts';

/** Fills `message` from JSON; adds errors to `problems`. */
export type FillFromJson = (
  message: Message,
  json: Record<string, unknown>,
  pointer: string,
  problems: FieldProblem[],
) => void;

type DecodeValue = (value: unknown, pointer: string, problems: FieldProblem[]) => unknown;

/** Other texts may be misplaced values, which no answer may contain. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;

const decoders = new Map<string, { create: () => Message; fill: FillFromJson }>();

/**
 * Compiles the decoder of a message: exact types without coercion, unknown keys refused, null only where the
 * contract allows it. `except` names fields that come from the path and must not be in the body.
 */
export function bodyDecoder(info: MessageInfo, except: ReadonlySet<string> = new Set()): FillFromJson {
  const fields = new Map<string, { field: FieldInfo; decode: DecodeValue }>();
  for (const field of info.fields) {
    if (!except.has(field.protoName)) fields.set(field.jsonName, { field, decode: valueDecoder(field) });
  }
  const elsewhere = new Set(
    info.fields.filter((each) => except.has(each.protoName)).map((each) => each.jsonName),
  );
  return (message, json, pointer, problems) => {
    for (const key of Object.keys(json)) {
      const known = fields.get(key);
      if (known) {
        if (json[key] === null && known.field.rules?.nullable) continue;
        const value = known.decode(json[key], `${pointer}/${key}`, problems);
        if (known.field.oneof && message[known.field.oneof] !== undefined) {
          problems.push({
            pointer: `${pointer}/${key}`,
            detail: 'excludes another field that is also given',
          });
        } else place(message, known.field, value);
      } else if (elsewhere.has(key)) {
        problems.push({
          pointer: `${pointer}/${key}`,
          detail: 'is part of the path: remove it from the body',
        });
      } else {
        problems.push({
          pointer: FIELD_NAME.test(key) ? stepTo(pointer, key) : pointer,
          detail: 'contains an unknown field',
        });
      }
    }
  };
}

/** Shared by all routes, and created at first use, so that messages can contain themselves. */
function nested(info: MessageInfo): { create: () => Message; fill: FillFromJson } {
  let known = decoders.get(info.name);
  if (!known) {
    let fill: FillFromJson | undefined;
    known = {
      create: messageTemplate(info),
      fill: (...args) => {
        fill ??= bodyDecoder(info);
        fill(...args);
      },
    };
    decoders.set(info.name, known);
  }
  return known;
}

function valueDecoder(field: FieldInfo): DecodeValue {
  const one = singleDecoder(field);
  if (!field.repeated) return one;
  return (value, pointer, problems) => {
    if (!Array.isArray(value)) {
      problems.push({ pointer, detail: 'must be a list' });
      return [];
    }
    return value.map((item, index) => one(item, `${pointer}/${index}`, problems));
  };
}

function singleDecoder(field: FieldInfo): DecodeValue {
  switch (field.kind) {
    case 'string':
      return expecting('must be a string', (value) => typeof value === 'string');
    case 'bool':
      return expecting('must be true or false', (value) => typeof value === 'boolean');
    case 'double':
      return expecting('must be a number', (value) => typeof value === 'number');
    case 'timestamp':
      return expecting(NOT_A_TIME, (value) => typeof value === 'string' && isDateTime(value));
    case 'struct':
      return expecting('must be an object', isObject);
    case 'integer':
      return (value, pointer, problems) => {
        const detail =
          typeof value === 'number' ? integerProblem(value, field.int32) : 'must be a whole number';
        if (detail) problems.push({ pointer, detail });
        // Turns -0 into 0.
        return (value as number) + 0;
      };
    case 'bytes':
      return (value, pointer, problems) => {
        const bytes = typeof value === 'string' ? bytesOf(value) : undefined;
        if (!bytes) problems.push({ pointer, detail: 'must be base64' });
        return bytes;
      };
    case 'message': {
      const { create, fill } = nested(field.message!);
      return (value, pointer, problems) => {
        const message = create();
        if (isObject(value)) fill(message, value, pointer, problems);
        else problems.push({ pointer, detail: 'must be an object' });
        return message;
      };
    }
  }
}

function expecting(detail: string, fits: (value: unknown) => boolean): DecodeValue {
  return (value, pointer, problems) => {
    if (!fits(value)) problems.push({ pointer, detail });
    return value;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
