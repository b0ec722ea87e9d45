import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { ApiClient } from '../api/api-client.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { entryId, moduleId, resourceId, userId } from './find-by-name.ts';
import { readJsonFile } from './json-file.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface ResourceListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly tag?: string;
}
export interface ResourceFields extends ConnectionOptions {
  readonly name?: string;
  readonly type?: string;
  readonly module?: string;
  readonly host?: string;
  readonly port?: number;
  readonly description?: string;
  readonly tag?: string[];
  /** File with JSON. */
  readonly settings?: string;
  readonly adminEntry?: string;
}

const service = vault.ResourcesService;

const columns: readonly Column<vault.Resource>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['TYPE', (row) => row.type],
  ['CONNECTOR', (row) => row.moduleType],
  ['ADDRESS', addressText],
  ['ENTRIES', (row) => row.entryCount],
  ['STATUS', (row) => row.status],
];

function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return port > 0 ? `${host}:${port}` : host;
}

export function listResources(options: ResourceListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', tag = '' } = options;
    showList(await listItems(api, service.listResources, { search, tag }, options), columns, format);
  });
}

export function showResource(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { resource } = await api.call(service.getResource, { resourceId: await resourceId(api, name) });
    show(resource!, format);
  });
}

export function createResource(name: string, options: ResourceFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { resource } = await api.call(service.createResource, { name, ...(await fieldsOf(api, options)) });
    show(resource!, format);
  });
}

export function updateResource(which: string, options: ResourceFields): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { name } = options;
    const { resource } = await api.call(service.updateResource, {
      resourceId: await resourceId(api, which),
      ...(name === undefined ? {} : { name }),
      ...(await fieldsOf(api, options)),
      ...(options.tag === undefined ? {} : { replaceTags: true }),
    });
    show(resource!, format);
  });
}

export function deleteResource(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteResource, { resourceId: await resourceId(api, name) });
    tell('deleted');
  });
}

/** Shows the access policy of a resource, or replaces it by a file's. */
export function giveResource(name: string, user: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const ids = { resourceId: await resourceId(api, name), ownerId: await userId(api, user) };
    show((await api.call(vault.ResourcesService.putResourceOwner, ids)).resource!, format);
  });
}

export function accessPolicy(name: string, options: ConnectionOptions & { file?: string }): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { getAccessPolicy, putAccessPolicy } = workflow.AccessPoliciesService;
    const id = await resourceId(api, name);
    const { policy } =
      options.file === undefined
        ? await api.call(getAccessPolicy, { resourceId: id })
        : await api.call(putAccessPolicy, { ...(await readJsonFile(options.file)), resourceId: id });
    if (format === 'json') return showJson(policy);
    const { steps, maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes, customised } = policy!;
    say(
      fieldsText([
        ['policy', customised ? 'of this resource' : 'the default'],
        ...steps.map((step, index) => [`step ${index + 1}`, stepText(step)] as const),
        ['at most', `${maxDurationMinutes} minutes`],
        ['one-time', oneTime ? 'yes: a credential is shown once' : 'no'],
        ['rotated', rotateOnEnd ? 'when the access ends' : 'not by a grant'],
        ['lapses', `${requestTtlMinutes} minutes after the request`],
      ]),
    );
  });
}

function stepText({ name, quorum, approverUserIds, approverRoles }: workflow.ApprovalStep): string {
  const who = [...approverRoles, ...approverUserIds].join(', ') || 'those who may decide';
  return `${name} ${quorum} of ${who}`.trim();
}

async function fieldsOf(api: ApiClient, options: ResourceFields) {
  const { type, module, host, port, description, tag, settings, adminEntry } = options;
  return {
    ...(type === undefined ? {} : { type }),
    ...(module === undefined ? {} : { moduleId: await moduleId(api, module) }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(description === undefined ? {} : { description }),
    ...(tag === undefined ? {} : { tags: tag }),
    ...(settings === undefined ? {} : { settings: await readJsonFile(settings) }),
    ...(adminEntry === undefined ? {} : { adminEntryId: await entryId(api, adminEntry) }),
  };
}

function show(resource: vault.Resource, format: OutputFormat): void {
  if (format === 'json') return showJson(resource);
  say(
    fieldsText([
      ['resource', resource.id],
      ['name', resource.name],
      ['type', resource.type],
      ['status', resource.status],
      ['connector', resource.moduleType],
      ['address', addressText(resource)],
      ['owner', resource.ownerId],
      ['description', resource.description],
      ['tags', resource.tags.join(', ')],
      ['entries', resource.entryCount],
      ['settings', resource.settings === undefined ? '' : JSON.stringify(resource.settings)],
      ['changed', timeText(resource.updatedAt)],
    ]),
  );
}
