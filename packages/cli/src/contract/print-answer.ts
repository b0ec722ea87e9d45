import type { FieldInfo, MessageInfo } from '@claviger/contracts';
import { say, tell } from '@claviger/terminal/output';
import { type OutputFormat, showJson } from '@claviger/terminal/show';
import { fieldsText, tableText } from './cells.ts';
import type { Column, Noun, View } from './noun.ts';

const messageName = (info: MessageInfo) => info.name.split('.').at(-1)!;

function viewOf(noun: Noun | undefined, info: MessageInfo): View {
  return noun?.views?.[messageName(info)] ?? {};
}

const isShort = ({ kind, map, rules }: FieldInfo) =>
  kind !== 'message' && kind !== 'struct' && !map && rules?.format !== 'text';

/** Columns of rows without a view: the first seven short fields. */
export function columnsOf(noun: Noun | undefined, row: MessageInfo | string): readonly Column[] {
  if (typeof row === 'string') return noun?.views?.[row]?.columns ?? ['ID  id', 'NAME  name'];
  const info = row;
  const heading = (name: string) => name.replaceAll(/(?<=[a-z])[A-Z]/g, ' $&').toUpperCase();
  return (
    viewOf(noun, info).columns ??
    info.fields
      .filter((field) => field.public && isShort(field) && !field.repeated)
      .slice(0, 7)
      .map(({ property }) => `${heading(property)}  ${property}`)
  );
}

function fieldsOf(noun: Noun | undefined, info: MessageInfo, row: unknown): readonly Column[] {
  const { fields } = viewOf(noun, info);
  if (typeof fields === 'function') return fields(row as never);
  const label = (name: string) => name.replaceAll(/(?<=[a-z])[A-Z]/g, ' $&').toLowerCase();
  const isSmall = ({ kind, map, repeated, property }: FieldInfo) =>
    !map && (kind !== 'message' || !repeated) && property !== 'rowVersion';
  return fields ?? info.fields.filter(isSmall).map(({ property }) => `${label(property)}  ${property}`);
}

/** Prints JSON, YAML or names. Returns false for the format table, which the caller prints. */
export async function printForPrograms(format: OutputFormat, answer: unknown): Promise<boolean> {
  if (format === 'table') return false;
  if (format === 'json') showJson(answer);
  else if (format === 'yaml') {
    const { stringify } = await import('yaml');
    process.stdout.write(stringify(answer, { aliasDuplicateObjects: false }));
  } else for (const name of namesOf(answer)) say(name);
  return true;
}

/** Lines of `-o name`: the name of each object, or its id if it has no name. */
function namesOf(answer: unknown): string[] {
  const value = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const rows = Array.isArray(answer) ? answer : value.items;
  if (Array.isArray(rows)) return rows.flatMap((row) => (typeof row === 'string' ? [row] : namesOf(row)));
  for (const key of ['username', 'hostname', 'name', 'id'])
    if (typeof value[key] === 'string') return [value[key]];
  return [];
}

/** Rows as a table. */
export function printRows(rows: readonly unknown[], columns: readonly Column[]): void {
  if (rows.length === 0) tell('none found');
  else say(tableText(columns, rows));
}

/** Prints the fields of the view of a message; nothing without a view. */
export function printFields(noun: Noun | undefined, info: MessageInfo, message: object): void {
  if (viewOf(noun, info).fields !== undefined) say(fieldsText(fieldsOf(noun, info, message), message));
}

/** One message as lines, then a table for each list in it. */
export function printMessage(
  noun: Noun | undefined,
  info: MessageInfo,
  message: Readonly<Record<string, unknown>>,
): void {
  const text = fieldsText(fieldsOf(noun, info, message), message);
  if (text !== '') say(text);
  if (viewOf(noun, info).fields !== undefined) return;
  for (const field of info.fields) {
    const rows = message[field.property];
    if (field.repeated && field.message && Array.isArray(rows) && rows.length > 0)
      say(`\n${tableText(columnsOf(noun, field.message), rows)}`);
  }
}
