import type { FieldInfo } from '../method-info.ts';
import type { JsonSchema } from './json-schema.ts';

/** Whether a message is sent by the caller or by us: only what is sent to us is closed and carries rules. */
export type Direction = 'input' | 'output';

/** The schema of a field; `reference` gives that of a message. */
export function fieldSchema(field: FieldInfo, direction: Direction, reference: () => JsonSchema): JsonSchema {
  const item = field.kind === 'message' ? reference() : scalarSchema(field, direction);
  const comment = field.comment === '' ? {} : { description: field.comment };
  const secret = field.public ? {} : { 'x-claviger-secret': true as const };
  if (!field.repeated) return { ...(field.rules?.nullable ? orNull(item) : item), ...comment, ...secret };
  return { type: 'array', items: item, ...listRules(field, direction), ...comment, ...secret };
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
      return { type: 'string', ...(direction === 'input' && !field.repeated ? stringRules(field) : {}) };
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

function stringRules({ rules }: FieldInfo): JsonSchema {
  if (!rules) return {};
  const least = Math.max(rules.minLength, rules.required ? 1 : 0);
  return {
    ...(least > 0 ? { minLength: least } : {}),
    ...(rules.maxLength > 0 ? { maxLength: rules.maxLength } : {}),
    ...(rules.pattern === '' ? {} : { pattern: `^(?:${rules.pattern})$` }),
    ...(rules.allowed.length > 0 ? { enum: rules.allowed } : {}),
    ...(rules.format === '' ? {} : { format: rules.format }),
    ...(rules.example === '' ? {} : { examples: [rules.example] }),
  };
}

function numberRules({ rules }: FieldInfo, direction: Direction): JsonSchema {
  if (direction === 'output' || !rules?.hasRange) return {};
  return { minimum: rules.minimum, maximum: rules.maximum };
}
