import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import type { ApiClient, Operation } from '../api/api-client.ts';
import { CliProblem } from '../api/cli-problem.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { listItems } from './paging.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const isId = (text: string) => uuid.test(text);

/** Undefined where the server says that there is no such object, or none that the caller may see. */
export async function orNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliProblem && error.status === 404) return undefined;
    throw error;
  }
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Those with exactly this name; the server's own search is wider. */
async function named<Item extends Named>(
  api: ApiClient,
  operation: Operation<
    { search: string; cursor: string; pageSize?: number | undefined },
    { items: Item[]; totalItems: number }
  >,
  name: string,
): Promise<Item[]> {
  const { items } = await listItems(api, operation, { search: name }, { all: true });
  return items.filter((item) => item.name === name);
}

function only<Item extends Named>(kind: string, name: string, found: readonly Item[]): Item {
  const [first, second] = found;
  if (first === undefined)
    throw new CommandError(
      `there is no ${kind} "${name}", or you may not see it: \`claviger ${plural(kind)} list\` shows them`,
      EXIT.notFound,
    );
  if (second !== undefined)
    throw new CommandError(
      `${found.length} ${plural(kind)} are called "${name}": name one by its id (${found.map(({ id }) => id).join(', ')})`,
      EXIT.usage,
    );
  return first;
}

const plural = (kind: string) => (kind === 'entry' ? 'entries' : `${kind}s`);

/** The id of an entry given by name or id. */
export async function entryId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  return only('entry', text, await named(api, vault.EntriesService.listEntries, text)).id;
}

/** The id of a resource given by name or id. */
export async function resourceId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  return only('resource', text, await named(api, vault.ResourcesService.listResources, text)).id;
}

/** The id of a module given by name or id. */
export async function moduleId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  return only('module', text, await named(api, vault.ModulesService.listModules, text)).id;
}

/** The id of a user given by user name or id. */
export async function userId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const { items } = await listItems(api, auth.UsersService.listUsers, { search: text }, { all: true });
  const users = items.map(({ id, username }) => ({ id, name: username }));
  return only(
    'user',
    text,
    users.filter(({ name }) => name === text),
  ).id;
}

/** The id of a role given by name or id. */
export async function roleId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const { items } = await listItems(api, auth.RolesService.listRoles, {}, { all: true });
  return only(
    'role',
    text,
    items.filter(({ name }) => name === text),
  ).id;
}

/** What a request is for: a resource or an entry, by name or id. A resource goes before an entry of the same name. */
export async function accessSubject(
  api: ApiClient,
  text: string,
): Promise<{ resourceId: string } | { entryId: string }> {
  if (isId(text)) {
    const resource = await orNotFound(api.call(vault.ResourcesService.getResource, { resourceId: text }));
    return resource === undefined ? { entryId: text } : { resourceId: text };
  }
  const resources = await named(api, vault.ResourcesService.listResources, text);
  if (resources.length > 0) return { resourceId: only('resource', text, resources).id };
  const entries = await named(api, vault.EntriesService.listEntries, text);
  return { entryId: only('entry', text, entries).id };
}
