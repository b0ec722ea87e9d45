import * as settings from '@claviger/contracts/auth/v1/settings';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { readJsonFile } from './json-file.ts';
import { type CodeOptions, withStepUp } from './mfa.ts';
import { listItems } from './paging.ts';
import { readSecret } from './secret-input.ts';
import { withSession } from './session.ts';
import { type Column, showJson, tableText, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface SetOptions extends CodeOptions {
  readonly reason?: string;
  readonly file?: string;
  readonly valueFile?: string;
}

type Values = Record<string, Record<string, unknown>>;
type Row = settings.ConfigKey & { readonly value: string };

const service = settings.ConfigService;

const columns: readonly Column<Row>[] = [
  ['KEY', (row) => row.key],
  ['VALUE', (row) => row.value],
  ['UNIT', (row) => row.unit],
  ['SOURCE', (row) => row.source],
  ['SCOPE', (row) => row.scope],
  ['CHANGED', (row) => timeText(row.changedAt)],
];

const versionColumns: readonly Column<settings.ConfigVersion>[] = [
  ['VERSION', (row) => row.version],
  ['CHANGED', (row) => timeText(row.changedAt)],
  ['BY', (row) => row.changedBy],
  ['KEYS', (row) => row.keys.join(' ')],
  ['REASON', (row) => row.reason],
];

/** The command `config get`: all settings, those of one section, or one. */
export function getConfig(name: string | undefined, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const config = await api.call(service.getConfig, {});
    if (format === 'json' && name === undefined) return showJson(config);
    const values = (config.values ?? {}) as Values;
    const keys = config.keys.filter(({ key }) => !name || key === name || key.startsWith(`${name}.`));
    if (keys.length === 0) throw new CommandError(`there is no setting ${name}`, EXIT.notFound);
    if (format === 'json') {
      return showJson(Object.fromEntries(keys.map(({ key }) => [key, settingOf(values, key)])));
    }
    const [only] = keys;
    if (keys.length === 1 && only!.key === name) return say(shown(settingOf(values, only!.key)));
    say(
      tableText(
        columns,
        keys.map((key) => ({ ...key, value: shown(settingOf(values, key.key)) })),
      ),
    );
    tellPending(config.pendingRestart);
  });
}

/** The command `config set`: changes settings from the version that was just read. */
export function setConfig(assignments: readonly string[], options: SetOptions): Promise<void> {
  return withSession(options, async ({ api, connection, format }) => {
    const { keys, rowVersion } = await api.call(service.getConfig, {});
    const values = await valuesFrom(assignments, options, keys);
    const answer = await withStepUp(api, connection, options, () =>
      api.call(service.updateConfig, { values, rowVersion, reason: options.reason ?? '' }),
    );
    if (format === 'json') return showJson(answer);
    if (answer.rowVersion === rowVersion) tell('nothing differs: nothing was changed');
    else
      tell(
        `version ${answer.rowVersion}; in effect within five seconds: ${answer.effectiveNow.join(' ') || 'none'}`,
      );
    tellPending(answer.pendingRestart);
  });
}

/** The command `config history`. */
export function configHistory(options: ConnectionOptions & ListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    showList(await listItems(api, service.listConfigVersions, {}, options), versionColumns, format);
  });
}

/** The command `config diff`: what one version changed. */
export function configDiff(version: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const found = await api.call(service.getConfigVersion, { version });
    if (format === 'json') return showJson(found);
    const rows = found.keys.map((key) => ({
      key,
      before: shown(settingOf(found.before as Values, key)),
      after: shown(settingOf(found.after as Values, key)),
    }));
    say(
      tableText(
        [
          ['KEY', (row) => row.key],
          ['BEFORE', (row) => row.before],
          ['AFTER', (row) => row.after],
        ],
        rows,
      ),
    );
  });
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
  if (assignments.length === 0) throw new CommandError('say what to set: KEY=VALUE, or --file', EXIT.usage);
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
      // Taking a secret away tells nothing.
      if (assignment.slice(equals + 1) !== 'null' && keys.find((each) => each.key === key)?.secret)
        throw new CommandError(
          `${key} is secret: give it with --value-file or --file, not on the command line`,
          EXIT.usage,
        );
      return [key, parsed(assignment.slice(equals + 1))];
    }),
  );
}

/** JSON where it is JSON; otherwise the text itself. */
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
