import type { FieldInfo } from '../method-info.ts';
import type { JsonSchema } from './json-schema.ts';
import { inputItem, inputString } from './string-schema.ts';

/** Whether the caller or the server sends a message. Only input schemas are closed and have rules. */
export type Direction = 'input' | 'output';

/** The schema of a field; `reference` returns that of a message. */
export function fieldSchema(field: FieldInfo, direction: Direction, reference: () => JsonSchema): JsonSchema {
  const item = field.kind === 'message' ? reference() : scalarSchema(field, direction);
  const rule = direction === 'input' ? (field.rules?.rule ?? '') : '';
  const comment = described(field.comment, rule);
  const secret = field.public ? {} : { 'x-claviger-secret': true as const };
  if (!field.repeated) return { ...(field.rules?.nullable ? orNull(item) : item), ...comment, ...secret };
  return { type: 'array', items: item, ...listRules(field, direction), ...comment, ...secret };
}

/** The comment in the contract, and a rule that a schema cannot express. */
export function described(comment: string, rule: string): JsonSchema {
  const said = [comment, rule && `The server also requires that it ${rule}.`].filter(Boolean).join(' ');
  return {
    ...(said === '' ? {} : { description: said }),
    ...(rule === '' ? {} : { 'x-claviger-rule': rule }),
  };
}

function orNull(schema: JsonSchema): JsonSchema {
  if (schema.type === undefined) return { anyOf: [schema, { type: 'null' }] };
  return {
    ...schema,
    type: [schema.type as string, 'null'],
    ...(schema.enum ? { enum: [...schema.enum, null] } : {}),
  };
}

function listRules({ rules }: FieldInfo, direction: Direction): JsonSchema {
  if (direction === 'output' || !rules) return {};
  const least = Math.max(rules.minLength, rules.required ? 1 : 0);
  return {
    ...(least > 0 ? { minItems: least } : {}),
    ...(rules.maxLength > 0 ? { maxItems: rules.maxLength } : {}),
  };
}

function scalarSchema(field: FieldInfo, direction: Direction): JsonSchema {
  switch (field.kind) {
    case 'string':
      return direction === 'input' ? inputStringOf(field) : { type: 'string' };
    case 'bool':
      return { type: 'boolean' };
    case 'integer':
      return { type: 'integer', format: field.int32 ? 'int32' : 'int64', ...numberRules(field, direction) };
    case 'double':
      return { type: 'number', format: 'double', ...numberRules(field, direction) };
    case 'bytes':
      return { type: 'string', contentEncoding: 'base64' };
    case 'timestamp':
      return { type: 'string', format: 'date-time', examples: ['2026-01-31T12:00:00Z'] };
    default:
      return { type: 'object', additionalProperties: true };
  }
}

function inputStringOf({ rules, repeated, optional }: FieldInfo): JsonSchema {
  if (repeated) return inputItem(rules);
  // If absent and empty differ, the empty string clears the value.
  return inputString(rules, optional && !rules?.nullable && !rules?.minLength);
}

function numberRules({ rules, kind, int32 }: FieldInfo, direction: Direction): JsonSchema {
  if (direction === 'output') return {};
  if (rules?.hasRange) return { minimum: rules.minimum, maximum: rules.maximum };
  if (kind === 'double') return {};
  return int32
    ? { minimum: -2_147_483_648, maximum: 2_147_483_647 }
    : { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
}
