import type * as settings from '@claviger/contracts/auth/v1/settings';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readJsonFile } from '@claviger/terminal/json-file';
import { say, tell } from '@claviger/terminal/output';
import { readSecret } from '@claviger/terminal/secret-input';
import { tableText } from '../contract/cells.ts';
import type { Running } from '../contract/noun.ts';

interface SetOptions {
  readonly file?: string;
  readonly valueFile?: string;
}
type Values = Record<string, Record<string, unknown>>;
const columns = [
  'KEY  key',
  'VALUE  value',
  'UNIT  unit',
  'SOURCE  source',
  'SCOPE  scope',
  'CHANGED  changedAt',
];

/** The command `config get`: all settings, those of one section, or one. */
export async function getConfig({ invoke, format, words: [name] }: Running): Promise<unknown> {
  const config = await invoke<settings.GetConfigResponse>('GetConfig', {});
  if (format !== 'table' && name === undefined) return config;
  const values = (config.values ?? {}) as Values;
  const keys = config.keys.filter(({ key }) => !name || key === name || key.startsWith(`${name}.`));
  if (keys.length === 0) throw new CommandError(`there is no setting ${name}`, EXIT.notFound);
  if (format !== 'table') return Object.fromEntries(keys.map(({ key }) => [key, settingOf(values, key)]));
  const [only] = keys;
  if (keys.length === 1 && only!.key === name) return say(shown(settingOf(values, only!.key)));
  const rows = keys.map((key) => ({ ...key, value: shown(settingOf(values, key.key)) }));
  say(tableText(columns, rows));
  return tellPending(config.pendingRestart);
}

/** The command `config set`: changes settings from the version that was just read. */
export async function setConfig({ invoke, options, format, words }: Running): Promise<unknown> {
  const { keys, rowVersion } = await invoke<settings.GetConfigResponse>('GetConfig', {});
  const values = await valuesFrom(words[0] as unknown as readonly string[], options, keys);
  const answer = await invoke<settings.UpdateConfigResponse>('UpdateConfig', {
    values,
    rowVersion,
    reason: options.reason ?? '',
  });
  if (format !== 'table') return answer;
  if (answer.rowVersion === rowVersion) tell('no value differs: nothing was changed');
  else
    tell(
      `version ${answer.rowVersion}; in effect within five seconds: ${answer.effectiveNow.join(' ') || 'none'}`,
    );
  return tellPending(answer.pendingRestart);
}

/** Prints the changes of one version. */
export function printDiff({ keys, before, after }: settings.GetConfigVersionResponse): void {
  const rows = keys.map((key) => ({
    key,
    before: shown(settingOf(before as Values, key)),
    after: shown(settingOf(after as Values, key)),
  }));
  say(tableText(['KEY  key', 'BEFORE  before', 'AFTER  after'], rows));
}

async function valuesFrom(
  assignments: readonly string[],
  { file, valueFile }: SetOptions,
  keys: readonly settings.ConfigKey[],
): Promise<Values> {
  if (file !== undefined) {
    if (assignments.length > 0) throw new CommandError('give either KEY=VALUE or --file', EXIT.usage);
    const document = await readJsonFile(file);
    return (document.values ?? document) as Values;
  }
  if (assignments.length === 0)
    throw new CommandError('give the settings to change: KEY=VALUE, or --file', EXIT.usage);
  if (valueFile !== undefined) {
    if (assignments.length !== 1 || assignments[0]!.includes('='))
      throw new CommandError('with --value-file, name one KEY without a value', EXIT.usage);
    return nested([[assignments[0]!, await readSecret(valueFile)]]);
  }
  return nested(
    assignments.map((assignment) => {
      const equals = assignment.indexOf('=');
      if (equals < 1) throw new CommandError(`${assignment} is not KEY=VALUE`, EXIT.usage);
      const key = assignment.slice(0, equals);
      // Removing a secret reveals nothing.
      if (assignment.slice(equals + 1) !== 'null' && keys.find((each) => each.key === key)?.secret)
        throw new CommandError(
          `${key} is secret: give it with --value-file or --file, not on the command line`,
          EXIT.usage,
        );
      return [key, parsed(assignment.slice(equals + 1))];
    }),
  );
}

/** The text parsed as JSON, or the text itself if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function nested(entries: readonly (readonly [string, unknown])[]): Values {
  const values: Values = {};
  for (const [key, value] of entries) {
    const [section, member, ...more] = key.split('.');
    if (!section || !member || more.length > 0 || section === '__proto__')
      throw new CommandError(`${key} is not a setting: they are named section.key`, EXIT.usage);
    values[section] ??= {};
    values[section][member] = value;
  }
  return values;
}

function settingOf(values: Values, key: string): unknown {
  const [section = '', member = ''] = key.split('.');
  return values[section]?.[member];
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

function tellPending(pending: readonly settings.PendingRestart[]): void {
  for (const { key, service: name, nodes } of pending)
    tell(`${key} waits for a restart of ${name}${nodes.length > 0 ? ` (${nodes.join(', ')})` : ''}`);
}
