import { messageOf } from './methods.ts';

/** `resourceId` → `resource_id` */
type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${Snake<Rest>}`
    : `_${Lowercase<First>}${Snake<Rest>}`
  : '';

/**
 * The type of a field's column: its value, NULL, or a Date for a timestamp, which messages contain as text.
 */
type Column<Value> =
  | Value
  | null
  | (undefined extends Value ? ([string] extends [Value] ? Date : never) : never);

/** A row with one column per field of the message, with the names of the proto file. */
export type RowOf<Message> = {
  readonly [Key in keyof Message & string as Snake<Key>]: Column<Message[Key]>;
};

/**
 * Converts database rows into messages. The row has a column for each field, with the field's proto name;
 * other columns are ignored. NULL becomes the zero value, or absence if the contract distinguishes it. A Date
 * becomes RFC 3339 text. Message fields must already contain messages.
 *
 * @param name full name of the message, e.g. `claviger.vault.v1.Entry`
 */
export function rowMapper<Message extends object>(name: string): (row: RowOf<Message>) => Message {
  const { fields } = messageOf(name);
  const columns = fields.map(({ property, protoName, kind, optional, repeated }) => {
    const isAbsent = optional || kind === 'message' || kind === 'timestamp' || kind === 'struct';
    return { property, protoName, repeated, zero: isAbsent ? undefined : ZERO[kind] };
  });
  return (row) => {
    const values = row as Record<string, unknown>;
    const message: Record<string, unknown> = {};
    for (const { property, protoName, repeated, zero } of columns) {
      const value = values[protoName];
      if (value === null || value === undefined) message[property] = repeated ? [] : zero;
      else message[property] = value instanceof Date ? value.toISOString() : value;
    }
    return message as Message;
  };
}

const ZERO = { string: '', bool: false, integer: 0, double: 0, bytes: Buffer.alloc(0) };
