import { mayBeAbsent } from '../contract-problem.ts';
import type { FieldInfo, MessageInfo } from '../method-info.ts';
import { type Direction, fieldSchema } from './field-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** Collects the schemas of messages as they are referred to. */
export interface MessageSchemas {
  /** A reference to a message's schema; `except` names fields that do not stand in the body. */
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
    // Two services may use one word: the later one carries its owner's name.
    const taken = owners.get(plain);
    if (taken !== undefined && taken !== info.name)
      return `${owner[0]!.toUpperCase()}${owner.slice(1)}${plain}`;
    owners.set(plain, info.name);
    return plain;
  };

  const reference: MessageSchemas['reference'] = (info, direction, except = new Set()) => {
    const name = nameOf(info, direction);
    if (!(name in schemas)) {
      // Held before it is filled, so that messages may contain themselves.
      schemas[name] = {};
      schemas[name] = objectSchema(info, direction, except, reference);
    }
    return { $ref: `#/components/schemas/${name}` };
  };

  return { reference, schemas };
}

function objectSchema(
  info: MessageInfo,
  direction: Direction,
  except: ReadonlySet<string>,
  reference: MessageSchemas['reference'],
): JsonSchema {
  const fields = info.fields.filter((field) => !except.has(field.protoName));
  const always = direction === 'input' ? isDemanded : isAlwaysThere;
  const required = fields.filter(always).map((field) => field.jsonName);
  return {
    type: 'object',
    ...(info.comment === '' ? {} : { description: info.comment }),
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

function isDemanded(field: FieldInfo): boolean {
  return field.rules?.required ?? false;
}

/** Zero values are written out; only what has no value is left out, unless null stands for that. */
function isAlwaysThere(field: FieldInfo): boolean {
  return !mayBeAbsent(field) || field.rules?.nullable === true;
}
