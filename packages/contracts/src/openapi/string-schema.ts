import type { Field } from '../generated/claviger/options/v1/options.ts';
import type { JsonSchema } from './json-schema.ts';

/** Members of a character class: control characters, and characters that reorder or hide text. */
const CONTROL = '\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069';
const NOT_IN_LINE = `\\u0000-\\u001f\\u2028\\u2029${CONTROL}`;
const NOT_IN_TEXT = `\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f${CONTROL}`;

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const DAY =
  '[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-9]))';
const TIME =
  '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])';

/**
 * The schema of an input string: lengths in code points, and each named format as the validator's pattern,
 * which every generator understands. `clears`: the empty string is allowed too.
 */
export function inputString(rules: Field | undefined, clears: boolean): JsonSchema {
  if (!rules) return { type: 'string', pattern: patternOf('', false)! };
  const shape = shapeOf(rules, clears);
  // A format that excludes the empty string makes a minimum length redundant.
  const least = shape.enum || shape.format ? 0 : Math.max(rules.minLength, rules.required ? 1 : 0);
  return {
    type: 'string',
    ...(least > 0 ? { minLength: least } : {}),
    ...(rules.maxLength > 0 ? { maxLength: rules.maxLength } : {}),
    ...shape,
    ...(rules.example === '' ? {} : { examples: [rules.example] }),
  };
}

/** The schema of an item in a list of strings. The lengths in the rules apply to the list. */
export function inputItem(rules: Field | undefined): JsonSchema {
  const shape: JsonSchema = rules ? shapeOf(rules, false) : {};
  if (shape.enum || shape.format || shape.pattern?.startsWith('^(?:')) return { type: 'string', ...shape };
  return { type: 'string', maxLength: 256, pattern: patternOf('line', false)! };
}

function shapeOf(rules: Field, clears: boolean): JsonSchema {
  if (rules.allowed.length > 0) return { enum: rules.allowed };
  if (rules.pattern !== '') return { pattern: `^(?:${rules.pattern})$` };
  if (rules.format === 'id' || rules.format === 'uuid')
    return clears ? { pattern: `^(?:${UUID})?$` } : { format: 'uuid', pattern: `^${UUID}$` };
  if (rules.format === 'date-or-time')
    return { pattern: `^${DAY}(?:T${TIME})?$`, examples: ['2026-01-31', '2026-01-31T12:00:00Z'] };
  return { pattern: patternOf(rules.format, rules.required)! };
}

function patternOf(format: string, notBlank: boolean): string | undefined {
  switch (format) {
    case 'identifier':
      return '^[a-z0-9][a-z0-9._-]*$';
    case 'line':
      return freeText(NOT_IN_LINE, notBlank);
    case 'text':
      return freeText(NOT_IN_TEXT, notBlank);
    default:
      return freeText('\\u0000', false);
  }
}

function freeText(excluded: string, notBlank: boolean): string {
  const any = `[^${excluded}]*`;
  return notBlank ? `^${any}[^\\s\\ufeff${excluded}]${any}$` : `^${any}$`;
}
