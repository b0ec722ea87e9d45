import * as devices from '@claviger/contracts/auth/v1/devices';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { deviceId } from './devices.ts';
import { orNotFound } from './find-by-name.ts';
import { groupId } from './group-id.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';
import { siteId } from './sites.ts';

export interface PolicyLevel extends ConnectionOptions {
  readonly device?: string;
  readonly group?: string;
  readonly site?: string;
  readonly organization?: boolean;
  readonly partner?: boolean;
}
export interface PolicyListOptions extends PolicyLevel, ListOptions {}
export interface PolicySetOptions extends PolicyLevel {
  readonly uacInterception: 'on' | 'off';
}

const service = devices.ConfigurationPoliciesService;
const feature = 'pam';

const columns: readonly Column<devices.ConfigurationPolicy>[] = [
  ['LEVEL', (row) => row.scope],
  ['OF', (row) => row.scopeName],
  ['UAC INTERCEPTION', (row) => saidText(row.pam?.uacInterceptionEnabled)],
  ['CHANGED', (row) => timeText(row.updatedAt)],
];

/** What every level says, or the one that is named. */
export function getPolicies(options: PolicyListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const place = await placeOf(api, options);
    if (place === undefined)
      return showList(
        await listItems(api, service.listConfigurationPolicies, { feature }, options),
        columns,
        format,
      );
    const { scope, scopeId } = place;
    const said = await listItems(api, service.listConfigurationPolicies, { feature, scope }, { all: true });
    const items = said.items.filter((policy) => policy.scopeId === scopeId);
    if (items.length === 0 && format === 'table')
      return tell('this level says nothing: the next one decides');
    showList({ items, totalItems: items.length }, columns, format);
  });
}

export function setPolicy(options: PolicySetOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { policy } = await api.call(service.putConfigurationPolicy, {
      feature,
      ...required(await placeOf(api, options)),
      pam: { uacInterceptionEnabled: options.uacInterception === 'on' },
    });
    show(policy!, format);
  });
}

export function clearPolicy(options: PolicyLevel): Promise<void> {
  return withSession(options, async ({ api }) => {
    const place = required(await placeOf(api, options));
    const cleared = await orNotFound(api.call(service.deleteConfigurationPolicy, { feature, ...place }));
    tell(cleared === undefined ? 'this level said nothing' : 'cleared: the next level decides');
  });
}

interface Place {
  readonly scope: string;
  readonly scopeId: string;
}

/** The level that the options name; undefined where they name none, a usage error where they name several. */
async function placeOf(api: ApiClient, options: PolicyLevel): Promise<Place | undefined> {
  const { device, group, site, organization = false, partner = false } = options;
  const named = [device !== undefined, group !== undefined, site !== undefined, organization, partner];
  if (named.filter(Boolean).length > 1) throw new CommandError(`${LEVELS}, not several of them`, EXIT.usage);
  if (device !== undefined) return { scope: 'device', scopeId: await deviceId(api, device) };
  if (group !== undefined) return { scope: 'group', scopeId: await groupId(api, group) };
  if (site !== undefined) return { scope: 'site', scopeId: await siteId(api, site) };
  if (organization) return { scope: 'organization', scopeId: 'default' };
  return partner ? { scope: 'partner', scopeId: 'default' } : undefined;
}

const LEVELS = 'give one of --device, --group, --site, --organization and --partner';

function required(place: Place | undefined): Place {
  if (place === undefined) throw new CommandError(LEVELS, EXIT.usage);
  return place;
}

function saidText(enabled: boolean | undefined): string {
  if (enabled === undefined) return 'left to the next level';
  return enabled ? 'on' : 'off';
}

function show(policy: devices.ConfigurationPolicy, format: OutputFormat): void {
  if (format === 'json') return showJson(policy);
  showList({ items: [policy], totalItems: 1 }, columns, format);
}
