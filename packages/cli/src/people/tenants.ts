import * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { isId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface TenantListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly status?: string;
}
export interface TenantCreateOptions extends ConnectionOptions {
  readonly displayName?: string;
}
export interface TenantChangeOptions extends ConnectionOptions {
  readonly reason: string;
  readonly name?: string;
}
export interface BillingOptions extends ConnectionOptions, ListOptions {
  readonly from?: string;
  readonly to?: string;
  readonly kind?: string;
}

const service = tenants.TenantsService;

const tenantColumns: readonly Column<tenants.Tenant>[] = [
  ['ID', (row) => row.id],
  ['TENANT', (row) => row.name],
  ['NAME', (row) => row.displayName],
  ['STATUS', (row) => statusText(row)],
  ['CREATED', (row) => timeText(row.createdAt)],
];

const billingColumns: readonly Column<tenants.BillingEvent>[] = [
  ['TIME', (row) => timeText(row.occurredAt)],
  ['TENANT', (row) => row.tenantId],
  ['NUMBER', (row) => String(row.sequence)],
  ['KIND', (row) => row.kind],
  ['QUANTITY', (row) => (row.unit === 'count' ? String(row.quantity) : `${row.quantity} ${row.unit}`)],
  ['SUBJECT', (row) => `${row.subjectType} ${row.subjectId}`],
];

const partColumns: readonly Column<tenants.TenantPart>[] = [
  ['SERVICE', (row) => row.service],
  ['STANDING', (row) => (row.answered ? row.standing : row.problem)],
  ['HOLDS', (row) => row.measures.map(({ name, value }) => `${name} ${value}`).join(', ')],
];

export function listTenants(options: TenantListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', status = '' } = options;
    showList(await listItems(api, service.listTenants, { search, status }, options), tenantColumns, format);
  });
}

export function showTenant(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { tenant } = await api.call(service.getTenant, { tenantId: await tenantId(api, name) });
    show(tenant!, format);
  });
}

export function createTenant(name: string, options: TenantCreateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const made = await api.call(service.createTenant, { name, displayName: options.displayName ?? '' });
    if (format === 'json') return showJson(made);
    tell(`${escapeText(name)} is ${made.tenant!.id}`);
    tell(`hand this one-time link to its first administrator; it ends at ${timeText(made.setupExpiresAt)}:`);
    say(escapeText(made.setupUrl));
  });
}

export function changeTenant(
  verb: 'suspend' | 'reinstate' | 'deprovision',
  name: string,
  options: TenantChangeOptions,
): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const request = { tenantId: await tenantId(api, name), reason: options.reason };
    const { tenant } = await change(api, verb, request, options.name ?? '');
    show(tenant!, format);
  });
}

function change(
  api: ApiClient,
  verb: 'suspend' | 'reinstate' | 'deprovision',
  request: { tenantId: string; reason: string },
  name: string,
): Promise<{ tenant?: tenants.Tenant | undefined }> {
  switch (verb) {
    case 'suspend':
      return api.call(service.suspendTenant, request);
    case 'reinstate':
      return api.call(service.reinstateTenant, { ...request, name });
    case 'deprovision':
      return api.call(service.deprovisionTenant, request);
    default:
      throw new CommandError(`unknown change ${verb satisfies never}`, EXIT.usage);
  }
}

export function tenantHealth(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const health = await api.call(service.getTenantHealth, { tenantId: await tenantId(api, name) });
    if (format === 'json') return showJson(health);
    tell(`${health.status}; last activity ${timeText(health.lastActivityAt) || 'unknown'}`);
    showList({ items: health.parts, totalItems: health.parts.length }, partColumns, format);
  });
}

export function deletionRecord(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const record = await api.call(service.getDeletionRecord, { tenantId: await tenantId(api, name) });
    if (format === 'json') return showJson(record);
    say(record.record);
  });
}

export function billing(name: string | undefined, options: BillingOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { from = '', to = '', kind = '' } = options;
    const filter = { from, to, kind };
    const found =
      name === undefined
        ? await listItems(api, service.listBillingEvents, filter, options)
        : await listItems(
            api,
            service.listTenantBillingEvents,
            { ...filter, tenantId: await tenantId(api, name) },
            options,
          );
    showList(found, billingColumns, format);
  });
}

/** By name only where one tenant has it: names of deprovisioned tenants are given away again. */
async function tenantId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const { items } = await listItems(api, service.listTenants, { search: text }, { all: true });
  const found = items.filter((item) => item.name === text);
  const current = found.filter((item) => !item.status.startsWith('deprovision'));
  const [only, another] = current.length > 0 ? current : found;
  if (!only) throw new CommandError(`there is no tenant "${text}": \`claviger tenants list\``, EXIT.notFound);
  if (another) {
    throw new CommandError(
      `several tenants were called "${text}": name one by its id (${found.map(({ id }) => id).join(', ')})`,
      EXIT.usage,
    );
  }
  return only.id;
}

function statusText({ status, pendingServices, platform }: tenants.Tenant): string {
  if (pendingServices.length > 0) return `${status}, not yet in ${pendingServices.join(' ')}`;
  return platform ? `${status}, the platform` : status;
}

function show(tenant: tenants.Tenant, format: OutputFormat): void {
  if (format === 'json') return showJson(tenant);
  const order = tenant.deprovisioning;
  say(
    fieldsText([
      ['tenant', tenant.name],
      ['id', tenant.id],
      ['name', tenant.displayName],
      ['status', statusText(tenant)],
      ['since', timeText(tenant.statusChangedAt ?? tenant.createdAt)],
      ['reason', tenant.statusReason],
      ['winding down', order ? `${order.state}, ordered by ${order.orderedBy}` : ''],
      ['confirm until', order?.state === 'awaiting-confirmation' ? timeText(order.confirmUntil) : ''],
      ['keys destroyed', timeText(order?.destroyAt)],
    ]),
  );
}
