import { mayBeAbsent } from '../contract-problem.ts';
import type { FieldInfo, MessageInfo } from '../method-info.ts';
import { type Direction, described, fieldSchema } from './field-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** Collects the schemas of referenced messages. */
export interface MessageSchemas {
  /** A reference to a message's schema; `except` names fields that are not in the body. */
  reference(info: MessageInfo, direction: Direction, except?: ReadonlySet<string>): JsonSchema;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

export function messageSchemas(): MessageSchemas {
  const schemas: Record<string, JsonSchema> = {};
  const owners = new Map<string, string>();

  const nameOf = (info: MessageInfo, direction: Direction): string => {
    const [, owner = '', , short = ''] = info.name.split('.');
    const suffix = direction === 'input' && !short.endsWith('Request') ? 'Input' : '';
    const plain = `${short}${suffix}`;
    // When two services use one name, the later one is prefixed with its owner.
    const taken = owners.get(plain);
    if (taken !== undefined && taken !== info.name)
      return `${owner[0]!.toUpperCase()}${owner.slice(1)}${plain}`;
    owners.set(plain, info.name);
    return plain;
  };

  const reference: MessageSchemas['reference'] = (info, direction, except = new Set()) => {
    const name = nameOf(info, direction);
    if (!(name in schemas)) {
      // Reserved before it is filled, so that messages may contain themselves.
      schemas[name] = {};
      schemas[name] =
        direction === 'input' && info.oneOf.length > 0
          ? alternatives(name, info, except)
          : objectSchema(info, direction, except, reference);
    }
    return { $ref: `#/components/schemas/${name}` };
  };

  /** A complete schema for each alternative, so that generators create a type for it. */
  const alternatives = (name: string, info: MessageInfo, except: ReadonlySet<string>): JsonSchema => {
    const all = info.oneOf.flat();
    const variants = info.oneOf.flatMap((names) =>
      names.map((required, index) => {
        // If an alternative has several fields, each variant requires one and excludes those that earlier
        // variants require.
        const kept = names.slice(index);
        const left = new Set([...except, ...all.filter((other) => !kept.includes(other))]);
        const field = info.fields.find(({ protoName }) => protoName === required)!;
        const variant = `${name}With${field.jsonName[0]!.toUpperCase()}${field.jsonName.slice(1)}`;
        schemas[variant] = requiring(field.jsonName, objectSchema(info, 'input', left, reference));
        return { $ref: `#/components/schemas/${variant}` };
      }),
    );
    return { ...described(info.comment, info.rule), oneOf: variants };
  };

  return { reference, schemas };
}

/** The schema of a message in which this field must have a value that counts as given. */
function requiring(name: string, schema: JsonSchema): JsonSchema {
  const field = schema.properties![name]!;
  const given: JsonSchema =
    field.type === 'boolean' ? { const: true } : field.type === 'array' ? { minItems: 1 } : { minLength: 1 };
  return {
    ...schema,
    properties: { ...schema.properties, [name]: { ...field, ...given } },
    required: [...(schema.required ?? []), name],
  };
}

function objectSchema(
  info: MessageInfo,
  direction: Direction,
  except: ReadonlySet<string>,
  reference: MessageSchemas['reference'],
): JsonSchema {
  const fields = info.fields.filter((field) => !except.has(field.protoName));
  const always = direction === 'input' ? isRequiredInput : isAlwaysThere;
  const required = fields.filter(always).map((field) => field.jsonName);
  return {
    type: 'object',
    ...described(info.comment, direction === 'input' ? info.rule : ''),
    properties: Object.fromEntries(
      fields.map((field) => [
        field.jsonName,
        fieldSchema(field, direction, () => reference(field.message!, direction)),
      ]),
    ),
    ...(required.length > 0 ? { required } : {}),
    ...(direction === 'input' ? { additionalProperties: false } : {}),
  };
}

/** Without a value, a number is 0 and a list is empty. If that is out of range, a value must be given. */
export function isRequiredInput({ rules, kind, repeated, optional }: FieldInfo): boolean {
  if (rules?.required || (repeated && rules && rules.minLength > 0)) return true;
  const isNumber = (kind === 'integer' || kind === 'double') && !repeated && !optional;
  return isNumber && rules?.hasRange === true && (rules.minimum > 0 || rules.maximum < 0);
}

/** Zero values are written; only absent values are left out, unless the field is nullable. */
function isAlwaysThere(field: FieldInfo): boolean {
  return !mayBeAbsent(field) || field.rules?.nullable === true;
}
