import type { FieldInfo, MessageInfo } from '@claviger/contracts';

export type Message = Record<string, unknown>;

/** Creates messages whose omitted fields have zero values, as the generated encoders require. */
export function messageTemplate(info: MessageInfo): () => Message {
  const fixed: Message = {};
  const lists: string[] = [];
  for (const field of info.fields) {
    if (field.map)
      throw new Error(`${info.name}.${field.protoName}: the REST edge does not support maps; use a list.`);
    if (field.oneof) fixed[field.oneof] = undefined;
    else if (field.repeated) lists.push(field.property);
    else fixed[field.property] = zeroOf(field);
  }
  return () => {
    const message = { ...fixed };
    for (const list of lists) message[list] = [];
    return message;
  };
}

function zeroOf(field: FieldInfo): unknown {
  if (field.optional) return undefined;
  switch (field.kind) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'integer':
    case 'double':
      return 0;
    case 'bytes':
      return Buffer.alloc(0);
    default:
      return undefined;
  }
}

/** Stores a decoded value in the message. */
export function place(message: Message, field: FieldInfo, value: unknown): void {
  if (field.oneof) message[field.oneof] = { $case: field.property, value };
  else message[field.property] = value;
}
