import { compiledPattern } from './compiled-pattern.ts';
import type { Field } from './generated/claviger/options/v1/options.ts';
import type { FieldInfo, MessageInfo } from './method-info.ts';
import { UUID } from './normalize-ids.ts';

export interface Problem {
  /** JSON pointer into the request. */
  pointer: string;
  detail: string;
}

const IDENTIFIER = /^[a-z0-9][a-z0-9._-]*$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
// Control characters, and characters that reorder or hide text.
const NOT_IN_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const NOT_IN_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const MAX_ID_LENGTH = 64;

/** Checks a request against the rules of its fields. Problems name the field and the fix, never the value. */
export function validateMessage(info: MessageInfo, message: object, pointer = ''): Problem[] {
  const problems: Problem[] = [];
  const values = message as Record<string, unknown>;
  for (const field of info.fields) {
    const value = field.oneof ? oneofValue(values, field) : values[field.property];
    checkField(field, value, `${pointer}/${field.jsonName}`, problems);
  }
  checkAlternatives(info, values, pointer, problems);
  return problems;
}

function checkAlternatives(
  { fields, oneOf }: MessageInfo,
  values: Record<string, unknown>,
  pointer: string,
  problems: Problem[],
): void {
  if (oneOf.length === 0) return;
  const alternatives = oneOf.map((names) =>
    names.map((name) => fields.find(({ protoName }) => protoName === name)!),
  );
  const given = alternatives.filter((members) => members.some(({ property }) => isGiven(values[property])));
  if (given.length === 1) return;
  const named = alternatives.map((members) => members.map(({ jsonName }) => jsonName).join(' or '));
  problems.push({
    pointer: `${pointer}/${alternatives[0]![0]!.jsonName}`,
    detail: `give exactly one of these: ${named.join('; ')}`,
  });
}

function isGiven(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '' && value !== false && value !== 0;
}

function oneofValue(values: Record<string, unknown>, field: FieldInfo): unknown {
  const chosen = values[field.oneof!] as { $case: string; value: unknown } | undefined;
  return chosen?.$case === field.property ? chosen.value : undefined;
}

function checkField(field: FieldInfo, value: unknown, pointer: string, problems: Problem[]): void {
  const rules = field.rules;
  const add = (detail: string): void => void problems.push({ pointer, detail });
  if (field.repeated && !field.map) {
    const items = (value ?? []) as unknown[];
    if (rules?.required && items.length === 0) add('is required: give at least one item');
    if (rules?.minLength && items.length < rules.minLength) add(`needs at least ${rules.minLength} items`);
    if (rules?.maxLength && items.length > rules.maxLength) add(`may have at most ${rules.maxLength} items`);
    items.forEach((item, index) => {
      if (field.kind === 'message')
        problems.push(...validateMessage(field.message!, item as object, `${pointer}/${index}`));
      else if (field.kind === 'string')
        checkListItem(field, item as string, (detail) =>
          problems.push({ pointer: `${pointer}/${index}`, detail }),
        );
      else if (field.kind === 'integer' || field.kind === 'double')
        checkNumber(field, item as number, (detail) =>
          problems.push({ pointer: `${pointer}/${index}`, detail }),
        );
    });
    return;
  }
  if (value === undefined || value === null) {
    if (rules?.required) add('is required');
    return;
  }
  if (field.kind === 'message' && !field.map)
    problems.push(...validateMessage(field.message!, value as object, pointer));
  else if (field.kind === 'string') checkString(field, value as string, add);
  else if (field.kind === 'integer' || field.kind === 'double') checkNumber(field, value as number, add);
  else if (field.kind === 'bytes') checkBytes(field, value as Uint8Array, add);
  else if (field.kind === 'timestamp' && !(DATE_TIME.test(value as string) && isDateOrTime(value as string)))
    add('is not a time, e.g. 2026-01-31T12:00:00Z');
}

/** The lengths apply to the list; allowed values, pattern and format apply to each item. */
function checkListItem(field: FieldInfo, item: string, add: (detail: string) => void): void {
  if (!item.isWellFormed()) return add('is not well-formed Unicode');
  if (item.length > 256) return add('may have at most 256 characters');
  if (NOT_IN_LINE.test(item)) return add('may not contain control characters');
  if (field.rules) checkShape(field.rules, item, add);
}

function checkString(field: FieldInfo, value: string, add: (detail: string) => void): void {
  const rules = field.rules;
  if (value === '') {
    if (rules?.required || (rules?.minLength && field.optional)) add('is required and may not be empty');
    return;
  }
  // Unpaired surrogates cannot be stored or hashed consistently.
  if (!value.isWellFormed()) return add('is not well-formed Unicode');
  if (value.includes('\u0000')) return add('may not contain the NUL character');
  if (!rules) return;
  const length =
    value.length > rules.maxLength || value.length < 2 * rules.minLength ? [...value].length : value.length;
  if (rules.maxLength && length > rules.maxLength)
    return add(`may have at most ${rules.maxLength} characters`);
  if (rules.minLength && length < rules.minLength) return add(`needs at least ${rules.minLength} characters`);
  if (checkShape(rules, value, add)) return;
  if (rules.required && rules.format !== '' && value.trim() === '') add('may not be blank');
}

/**
 * Returns whether it found a problem. For an id, pattern and allowed values are only descriptions: an unknown
 * id simply names no object.
 */
function checkShape(rules: Field, value: string, add: (detail: string) => void): boolean {
  const problem =
    rules.format === 'id'
      ? idProblem(value)
      : rules.allowed.length > 0 && !rules.allowed.includes(value)
        ? `must be one of ${rules.allowed.join(', ')}`
        : rules.pattern && !compiledPattern(rules.pattern).test(value)
          ? `must match ${rules.pattern}`
          : formatProblem(rules.format, value);
  if (problem) add(problem);
  return problem !== undefined;
}

function idProblem(value: string): string | undefined {
  return value.length > MAX_ID_LENGTH ? `may have at most ${MAX_ID_LENGTH} characters` : undefined;
}

function formatProblem(format: string, value: string): string | undefined {
  switch (format) {
    case '':
      return undefined;
    case 'uuid':
      return UUID.test(value) ? undefined : 'must be a UUID';
    case 'identifier':
      return IDENTIFIER.test(value)
        ? undefined
        : 'must be lower-case letters, digits and . _ - only, starting with a letter or digit';
    case 'line':
      return NOT_IN_LINE.test(value) ? 'may not contain line breaks or control characters' : undefined;
    case 'text':
      return NOT_IN_TEXT.test(value)
        ? 'may not contain control characters other than line breaks and tabs'
        : undefined;
    case 'date-or-time':
      return isDateOrTime(value) ? undefined : 'must be a date (2026-01-31) or a time (2026-01-31T12:00:00Z)';
    default:
      throw new Error(`The contract uses the unknown format ${format}.`);
  }
}

function isDateOrTime(value: string): boolean {
  if (!DATE.test(value) && !DATE_TIME.test(value)) return false;
  const time = Date.parse(value);
  // Date.parse accepts 2026-02-30 as a day of March, so compare the day.
  return (
    !Number.isNaN(time) &&
    new Date(`${value.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(value.slice(0, 10))
  );
}

function checkBytes({ rules }: FieldInfo, value: Uint8Array, add: (detail: string) => void): void {
  if (rules?.required && value.length === 0) return add('is required and may not be empty');
  if (rules?.maxLength && value.length > rules.maxLength) add(`may have at most ${rules.maxLength} bytes`);
  if (rules?.minLength && value.length > 0 && value.length < rules.minLength)
    add(`needs at least ${rules.minLength} bytes`);
}

function checkNumber(field: FieldInfo, value: number, add: (detail: string) => void): void {
  const rules = field.rules;
  if (field.kind === 'integer' && !Number.isSafeInteger(value)) return add('must be a whole number');
  if (!Number.isFinite(value)) return add('must be a number');
  if (rules?.required && value === 0 && !field.optional) return add('is required');
  if (rules?.hasRange && (value < rules.minimum || value > rules.maximum)) {
    add(`must be between ${rules.minimum} and ${rules.maximum}`);
  }
}
