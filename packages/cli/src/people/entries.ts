import * as vault from '@claviger/contracts/vault/v1/vault';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { entryId, resourceId, userId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { readSecret } from './secret-input.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';
import { inputName, readBytes } from './text-input.ts';

export type PagedOptions = ConnectionOptions & ListOptions;
export interface EntryListOptions extends PagedOptions {
  readonly search?: string;
  readonly resource?: string;
  readonly rotationState?: string;
  readonly tag?: string;
  readonly owner?: string;
}
export interface EntryCreateOptions extends ConnectionOptions {
  readonly resource?: string;
  readonly username?: string;
  readonly type?: string;
  readonly secretFile?: string;
  readonly generate?: boolean;
  readonly description?: string;
  readonly tag?: string[];
  readonly rotateEvery?: number;
  readonly requiresGrant?: boolean;
  readonly requiresReason?: boolean;
}

export interface EntryUpdateOptions extends ConnectionOptions {
  readonly name?: string;
  readonly username?: string;
  readonly secretFile?: string;
  readonly description?: string;
  readonly tag?: string[];
  readonly requiresGrant?: boolean;
  readonly requiresReason?: boolean;
}
export interface EntryScheduleOptions extends ConnectionOptions {
  readonly every?: number;
  readonly never?: boolean;
  readonly startingAt?: string;
}

const service = vault.EntriesService;

const MAX_FILE_BYTES = 49_152;
/** What is pasted and stored as one line. */
const ONE_LINE_TYPES = new Set(['password', 'api-key']);

const entryColumns: readonly Column<vault.Entry>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['TYPE', (row) => row.type],
  ['RESOURCE', (row) => row.resourceName],
  ['USER', (row) => row.username],
  ['VERSION', (row) => row.currentVersion],
  ['ROTATION', (row) => row.rotationState],
  ['ROTATED', (row) => timeText(row.lastRotatedAt)],
];

export const rotationColumns: readonly Column<vault.Rotation>[] = [
  ['ID', (row) => row.id],
  ['STATE', (row) => row.state],
  ['VERSION', (row) => row.version],
  ['TRIGGER', (row) => row.trigger],
  ['ATTEMPTS', (row) => row.attempts],
  ['ASKED', (row) => timeText(row.requestedAt)],
  ['ENDED', (row) => timeText(row.finishedAt)],
  ['PROBLEM', (row) => row.problem],
  ['HINT', (row) => row.hint],
];

const versionColumns: readonly Column<vault.EntryVersion>[] = [
  ['VERSION', (row) => row.version],
  ['STATE', (row) => row.state],
  ['MADE', (row) => timeText(row.createdAt)],
  ['BY', (row) => row.createdBy],
  ['SEEN BY', (row) => row.seenByCount],
];

export function listEntries(options: EntryListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', tag = '', rotationState = '', resource, owner } = options;
    const filter = {
      search,
      tag,
      rotationState,
      ...(resource === undefined ? {} : { resourceId: await resourceId(api, resource) }),
      ...(owner === undefined ? {} : { ownerId: await userId(api, owner) }),
    };
    showList(await listItems(api, service.listEntries, filter, options), entryColumns, format);
  });
}

export function showEntry(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { entry } = await api.call(service.getEntry, { entryId: await entryId(api, name) });
    show(entry!, format);
  });
}

export function createEntry(name: string, options: EntryCreateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { resource, tag, rotateEvery, type = '', username = '', description = '' } = options;
    const { entry } = await api.call(service.createEntry, {
      name,
      type,
      username,
      description,
      ...(options.generate
        ? generated(options)
        : { secret: await secretOf(type || 'password', options.secretFile) }),
      ...(resource === undefined ? {} : { resourceId: await resourceId(api, resource) }),
      ...(tag === undefined ? {} : { tags: tag }),
      ...(rotateEvery === undefined ? {} : { rotationIntervalHours: rotateEvery }),
      requiresGrant: options.requiresGrant ?? false,
      requiresReason: options.requiresReason ?? false,
    });
    show(entry!, format);
  });
}

/** What is not given stays. A new secret becomes a new version; nothing is changed on a target. */
export function updateEntry(name: string, options: EntryUpdateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { name: newName, username, description, tag, secretFile, requiresGrant, requiresReason } = options;
    const id = await entryId(api, name);
    const change = {
      ...(newName === undefined ? {} : { name: newName }),
      ...(username === undefined ? {} : { username }),
      ...(description === undefined ? {} : { description }),
      ...(tag === undefined ? {} : { tags: tag, replaceTags: true }),
      ...(secretFile === undefined ? {} : { secret: await secretOf(await typeOf(api, id), secretFile) }),
      ...(requiresGrant === undefined ? {} : { requiresGrant }),
      ...(requiresReason === undefined ? {} : { requiresReason }),
    };
    if (Object.keys(change).length === 0)
      throw new CommandError('say what to change: `claviger entries update --help`', EXIT.usage);
    const { entry } = await api.call(service.updateEntry, { entryId: id, ...change });
    show(entry!, format);
  });
}

async function typeOf(api: ApiClient, id: string): Promise<string> {
  return (await api.call(service.getEntry, { entryId: id })).entry!.type;
}

export function deleteEntry(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteEntry, { entryId: await entryId(api, name) });
    tell('deleted');
  });
}

/** Logs in to the target with the current secret. Fails where the target did not accept it. */
export function verifyEntry(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { outcome, problem, hint } = await api.call(service.verifyEntry, {
      entryId: await entryId(api, name),
    });
    if (format === 'json') showJson({ outcome, problem, hint });
    else tell([problem ? `${outcome}: ${problem}` : outcome, hint].filter(Boolean).join('\n'));
    if (outcome !== 'accepted') process.exitCode = EXIT.error;
  });
}

/** An account that somebody else named becomes one of the resource, and the entry belongs to who accepts it. */
export function acceptAccount(
  name: string,
  options: ConnectionOptions & { readonly reason?: string },
): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { reason = '' } = options;
    const { entry } = await api.call(service.acceptAccount, { entryId: await entryId(api, name), reason });
    show(entry!, format);
  });
}

/** Rotates by itself every so many hours; 0 ends that. */
export function scheduleRotation(name: string, options: EntryScheduleOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { every, never, startingAt } = options;
    if ((every === undefined) === (never === undefined))
      throw new CommandError('give one of --every and --never', EXIT.usage);
    if (startingAt !== undefined && Number.isNaN(Date.parse(startingAt)))
      throw new CommandError('--starting-at takes a time such as 2026-12-24T03:00:00Z', EXIT.usage);
    const { entry } = await api.call(service.putRotationSchedule, {
      entryId: await entryId(api, name),
      intervalHours: every ?? 0,
      ...(startingAt === undefined ? {} : { startsAt: new Date(startingAt).toISOString() }),
    });
    show(entry!, format);
  });
}

function generated({ secretFile }: Pick<EntryCreateOptions, 'secretFile'>) {
  if (secretFile !== undefined)
    throw new CommandError('give one of --generate and --secret-file', EXIT.usage);
  return { generate: true };
}

/** The secret for an entry of this type, as the API takes it, from a file or from standard input. */
async function secretOf(type: string, file: string | undefined): Promise<string> {
  if (type === 'file') return (await fileOf(file)).toString('base64');
  const secret = await readSecret(
    file,
    'keep its bytes as they are in an entry of the type file: `claviger entries create NAME --type file`',
  );
  if (secret.includes('\n') && ONE_LINE_TYPES.has(type))
    tell(`${inputName(file)} holds several lines: all of it is the secret, its line ends included`);
  return secret;
}

async function fileOf(file: string | undefined): Promise<Buffer> {
  const bytes = await readBytes(file);
  if (bytes.length === 0) throw new CommandError(`${inputName(file)} is empty`, EXIT.usage);
  if (bytes.length > MAX_FILE_BYTES)
    throw new CommandError(
      `${inputName(file)} has ${bytes.length} bytes, and an entry of the type file holds ${MAX_FILE_BYTES} (48 KiB): keep it encrypted elsewhere, and its key here`,
      EXIT.usage,
    );
  return bytes;
}

export function listRotations(name: string, options: PagedOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const filter = { entryId: await entryId(api, name) };
    showList(await listItems(api, service.listRotations, filter, options), rotationColumns, format);
  });
}

export function listVersions(name: string, options: PagedOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const filter = { entryId: await entryId(api, name) };
    showList(await listItems(api, service.listEntryVersions, filter, options), versionColumns, format);
  });
}

export function shareEntry(
  name: string,
  user: string,
  options: ConnectionOptions & { readonly access: string },
): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { access } = options;
    const ids = { entryId: await entryId(api, name), userId: await userId(api, user) };
    if (access === 'none') {
      await api.call(service.deleteShare, ids);
      return tell('taken back');
    }
    const { share } = await api.call(service.putShare, { ...ids, access });
    if (format === 'json') return showJson(share);
    tell(`shared: ${access}`);
  });
}

function show(entry: vault.Entry, format: OutputFormat): void {
  if (format === 'json') return showJson(entry);
  say(
    fieldsText([
      ['entry', entry.id],
      ['name', entry.name],
      ['type', entry.type],
      ['resource', entry.resourceName || entry.resourceId],
      ['user', entry.username],
      ['description', entry.description],
      ['tags', entry.tags.join(', ')],
      ['owner', entry.ownerId],
      ['version', entry.currentVersion],
      ['rotation', entry.rotationState],
      ['every', entry.rotationIntervalHours > 0 ? `${entry.rotationIntervalHours} hours` : ''],
      ['next', timeText(entry.nextRotationAt)],
      ['rotated', timeText(entry.lastRotatedAt)],
      ['verified', timeText(entry.lastVerifiedAt)],
      ['proven', entry.unproven ? 'no: verify it, or have an owner of the resource accept it' : ''],
      [
        'needs',
        [entry.requiresGrant && 'a grant', entry.requiresReason && 'a reason'].filter(Boolean).join(' and '),
      ],
      ['changed', timeText(entry.updatedAt)],
    ]),
  );
}
