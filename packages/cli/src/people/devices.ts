import * as devices from '@claviger/contracts/auth/v1/devices';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { isId, resourceId } from './find-by-name.ts';
import { groupId } from './group-id.ts';
import { listItems } from './paging.ts';
import type { SecretOutputOptions } from './secret-options.ts';
import { prepareSecretOutput } from './secret-output.ts';
import { type Session, withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';
import { siteId } from './sites.ts';

export interface DeviceListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly site?: string;
  readonly group?: string;
  readonly status?: string;
}
export interface EnrolOptions extends ConnectionOptions, SecretOutputOptions {
  readonly site?: string;
  readonly os?: string;
  readonly resource?: string;
}
export interface UpdateOptions extends ConnectionOptions {
  readonly hostname?: string;
  /** False: no site. */
  readonly site?: string | false;
}
export interface DecommissionOptions extends ConnectionOptions {
  readonly reason: string;
}

const service = devices.DevicesService;

const columns: readonly Column<devices.Device>[] = [
  ['ID', (row) => row.id],
  ['HOST', (row) => row.hostname],
  ['SITE', (row) => row.siteName],
  ['OS', (row) => row.os],
  ['STATUS', (row) => row.status],
  ['TOKEN', (row) => (row.hasToken ? 'yes' : 'none')],
  ['LAST SEEN', (row) => timeText(row.lastSeenAt)],
];

export function listDevices(options: DeviceListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', status = '', site, group } = options;
    const filter = {
      search,
      status,
      ...(site === undefined ? {} : { siteId: await siteId(api, site) }),
      ...(group === undefined ? {} : { groupId: await groupId(api, group) }),
    };
    showList(await listItems(api, service.listDevices, filter, options), columns, format);
  });
}

export function showDevice(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const id = await deviceId(api, name);
    const { device } = await api.call(service.getDevice, { deviceId: id });
    const { configuration } = await api.call(service.getDeviceConfiguration, { deviceId: id });
    if (format === 'json') return showJson({ ...device, configuration });
    const captures = configuration?.pam?.uacInterceptionEnabled ?? true;
    const [source] = configuration?.sources ?? [];
    show(device!, format, [
      ['prompts', `${captures ? 'captured' : 'not captured'}, as the ${source?.scope ?? 'default'} says`],
    ]);
  });
}

export function enrolDevice(hostname: string, options: EnrolOptions): Promise<void> {
  return withSession(options, async (session) => {
    const { site, os, resource } = options;
    const { api } = session;
    const request = {
      hostname,
      ...(site === undefined ? {} : { siteId: await siteId(api, site) }),
      ...(os === undefined ? {} : { os }),
      ...(resource === undefined ? {} : { resourceId: await resourceId(api, resource) }),
    };
    await deliverToken(session, options, () => api.call(service.enrolDevice, request));
  });
}

export function updateDevice(name: string, options: UpdateOptions): Promise<void> {
  const { hostname, site } = options;
  if (hostname === undefined && site === undefined)
    throw new CommandError('give --hostname, --site or --no-site', EXIT.usage);
  return withSession(options, async ({ api, format }) => {
    const { device } = await api.call(service.updateDevice, {
      deviceId: await deviceId(api, name),
      ...(hostname === undefined ? {} : { hostname }),
      ...(site === undefined ? {} : { siteId: site === false ? '' : await siteId(api, site) }),
    });
    show(device!, format);
  });
}

export function rotateAgentToken(
  name: string,
  options: ConnectionOptions & SecretOutputOptions,
): Promise<void> {
  return withSession(options, async (session) => {
    const id = await deviceId(session.api, name);
    await deliverToken(session, options, () => session.api.call(service.rotateAgentToken, { deviceId: id }));
  });
}

export function revokeAgentToken(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.revokeAgentToken, { deviceId: await deviceId(api, name) });
    tell('the agent is shut out');
  });
}

export function decommissionDevice(name: string, options: DecommissionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const request = { deviceId: await deviceId(api, name), reason: options.reason };
    const { device } = await api.call(service.decommissionDevice, request);
    show(device!, format);
  });
}

/** The id of a device given by host name or id. */
export async function deviceId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const { items } = await listItems(api, service.listDevices, { search: text }, { all: true });
  const found = items.filter(({ hostname }) => hostname.toLowerCase() === text.toLowerCase());
  const active = found.filter(({ status }) => status === 'active');
  const [first, second] = active.length > 0 ? active : found;
  if (first === undefined)
    throw new CommandError(
      `there is no device "${text}", or you may not see it: \`claviger devices list\` shows them`,
      EXIT.notFound,
    );
  if (second === undefined) return first.id;
  const ids = found.map(({ id }) => id).join(', ');
  throw new CommandError(`several devices are called "${text}": name one by its id (${ids})`, EXIT.usage);
}

/** A place for the token is made before there is one: it is shown this once. */
async function deliverToken(
  { format }: Session,
  options: SecretOutputOptions,
  ask: () => Promise<{ device?: devices.Device | undefined; agentToken: string }>,
): Promise<void> {
  const intoFile = options.outputFile !== undefined;
  // The answer in JSON is the device; beside a file of its own the token does not stand in it.
  const output = await prepareSecretOutput(options, intoFile ? 'table' : format);
  const { device, agentToken } = await ask().catch(async (error: unknown) => {
    await output.abandon();
    throw error;
  });
  tell(`device ${device?.id ?? ''}; the token of its agent is shown this once`);
  if (intoFile || format !== 'json')
    await output.deliver({ username: '', secret: agentToken, version: 1, receipt: undefined });
  if (format === 'json') showJson(intoFile ? { device } : { device, agentToken });
}

function show(
  device: devices.Device,
  format: OutputFormat,
  more: readonly (readonly [name: string, value: string])[] = [],
): void {
  if (format === 'json') return showJson(device);
  say(
    fieldsText([
      ['device', device.id],
      ['host', device.hostname],
      ['site', device.siteName],
      ['os', device.os],
      ['status', device.status],
      ['resource', device.linkedToResource ? 'its accounts are kept in the vault' : ''],
      ['agent token', device.hasToken ? `since ${timeText(device.tokenCreatedAt)}` : 'none'],
      ['last seen', timeText(device.lastSeenAt)],
      ['enrolled by', device.enrolledBy],
      ['decommissioned', timeText(device.decommissionedAt)],
      ...more,
    ]),
  );
}
